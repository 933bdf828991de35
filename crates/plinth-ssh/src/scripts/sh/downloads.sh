main() {
    printf '%s\n' "$files" | while read -r wanted name; do
        [ -n "$name" ] || continue
        found=
        [ ! -f "$folder/$name" ] || found=$(sha256sum <"$folder/$name")
        [ "${found%% *}" = "$wanted" ] || emit missing "$name"
    done
    emit looked 1
}

# The sum of a file. openssl uses the processor's own instructions, which coreutils often does not: a quarter of the time, for
# hundreds of megabytes on every node. What it does not say, coreutils does.
summed() {
    sum=
    if has openssl; then sum=$(openssl dgst -sha256 -r <"$1" 2>/dev/null); fi
    sum=${sum%% *}
    [ ${#sum} = 64 ] || sum=$(sha256sum <"$1")
    printf '%s' "${sum%% *}"
}
main() {
    printf '%s\n' "$files" | while read -r wanted name; do
        [ -n "$name" ] || continue
        found=
        [ ! -f "$folder/$name" ] || found=$(summed "$folder/$name")
        [ "$found" = "$wanted" ] || emit missing "$name"
    done
    emit looked 1
}

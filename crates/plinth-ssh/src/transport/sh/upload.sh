give_up() {
    rm -f "$new"
    fail "$1"
}
main() {
    folder=$(dirname "$path")
    [ -d "$folder" ] || fail "the folder $folder is not there"
    [ ! -d "$path" ] || fail "$path is a folder"
    # What an upload left that was killed: no other one runs on this node now.
    rm -f "$folder"/.plinth.??????
    new=$(mktemp "$folder/.plinth.XXXXXX") || fail "no file can be made in $folder"
    trap 'rm -f "$new"' EXIT
    printf %s "$content" | base64 -d >"$new" || give_up "$path could not be written: the disk may be full"
    sum=$(sha256sum <"$new")
    [ "${sum%% *}" = "$sha256" ] || give_up "$path arrived damaged: its checksum is ${sum%% *}"
    chown "$owner" "$new" || give_up "$path cannot be given to $owner"
    chmod "$mode" "$new" || give_up "$path cannot be given mode $mode"
    sync "$new" 2>/dev/null || sync
    mv -f "$new" "$path" || give_up "$path could not be put in place"
}

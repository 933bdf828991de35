# Files that are never half-written. `root` is empty on a node; tests set it to a directory of theirs.
# durable PATH: what was written to PATH is on the disk. An old `sync` takes no names and writes everything.
durable() {
    sync "$1" 2>/dev/null || sync
}
# put FILE MODE OWNER: the text in `content` becomes FILE. It is written beside and moved, so a reader sees the old or the new
# file, and so does the next start after a loss of power. A link is followed: its target is replaced. OWNER may be empty.
put() {
    put_file=$1
    [ ! -L "$put_file" ] || put_file=$(readlink -f "$put_file") || return 1
    put_new=$put_file.plinth-new
    rm -f "$put_new" || return 1
    (umask 077 && printf '%s' "$content" >"$put_new") || return 1
    [ -z "$3" ] || chown "$3" "$put_new" || return 1
    chmod "$2" "$put_new" && durable "$put_new" && mv -f "$put_new" "$put_file" && durable "${put_file%/*}" || return 1
    labelled "$put_file"
}
# labelled PATH...: gives files the SELinux label of their place, where there are labels.
labelled() {
    if has restorecon; then restorecon -R "$@" 2>/dev/null; fi
    return 0
}
# digest FILE: its SHA-256, nothing when it cannot be read.
digest() {
    sha256sum 2>/dev/null <"$1" | cut -d ' ' -f 1
}

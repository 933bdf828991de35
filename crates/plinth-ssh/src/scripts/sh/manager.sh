# Who manages this node: the state directory from which the account is made. Parameters: manager_id (not set: nobody asks), manager (the
# content of the file), take_over (not empty: another one is replaced).
manager_file=/etc/plinth/managed-by
# Sets manager_known to the id in the file, empty where there is no file. The file is moved into place, so it is whole or not there: one
# that names nobody could not be read, and is not taken for none.
known_manager() {
    manager_known=
    [ -e "$root$manager_file" ] || return 0
    manager_known=$(sed -n 's/^id=//p' "$root$manager_file" | head -n 1)
    [ -n "$manager_known" ] || [ -n "${take_over-}" ] ||
        fail "$manager_file is there, and it cannot be read who manages this node: look at it; \`plinth apply --take-over\` replaces it"
}
look_manager() {
    [ -n "${manager_id-}" ] || return 0
    known_manager
    if [ "$manager_known" = "$manager_id" ]; then
        emit present "mark of this state directory"
    elif [ -z "$manager_known" ] || [ -n "${take_over-}" ]; then
        emit missing "mark of this state directory in $manager_file"
    else
        emit manager "$(sed -n -e 's/^by=/by /p' -e 's/^directory=/directory /p' -e 's/^since=/since /p' "$root$manager_file" | tr '\n' ',' | sed -e 's/,$//' -e 's/,/, /g')"
    fi
}
# Before anything of the account: whoever comes after a kill sees whose half it is.
make_manager() {
    [ -n "${manager_id-}" ] || return 0
    known_manager
    [ "$manager_known" != "$manager_id" ] || return 0
    mkdir -p "$root${manager_file%/*}" && chmod 0755 "$root${manager_file%/*}" || return 1
    content=$manager
    put "$root$manager_file" 0644 ''
}

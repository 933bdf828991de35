# When plinth goes away, what it runs is told to end; a program of the shadow suite is given the seconds that it needs to come to
# its own end.
to_its_end() {
    (
        trap '' TERM
        exec "$@"
    )
}
make_locks() {
    for lock in $shadow_files; do
        lock=$root/etc/$lock
        if [ -e "$lock.lock" ] && is_stale "$lock.lock"; then
            rm -f "$lock.lock" "$lock+" || fail "${lock#"$root"}.lock, which a killed program left, cannot be removed"
        fi
    done
}
make_group() {
    account_entry group "$name" "$gid"
    if [ -z "$entry" ]; then
        to_its_end groupadd -g "$gid" "$name" || fail "groupadd did not make group $name"
    fi
    ! half_made group gshadow || to_its_end gpasswd -R "$name" || fail "gpasswd did not complete group $name in /etc/gshadow"
}
make_user() {
    account_entry passwd "$name" "$uid"
    if [ -z "$entry" ]; then
        to_its_end useradd -M -u "$uid" -g "$gid" -d "$home" -s "$shell" -p '*' "$name" || fail "useradd did not make user $name"
        return 0
    fi
    is_local || return 0
    if half_made passwd shadow; then
        printf '%s:*\n' "$name" | to_its_end chpasswd -e || fail "chpasswd did not complete user $name in /etc/shadow"
    fi
    ! is_locked || to_its_end usermod -p '*' "$name" || fail "usermod did not unlock user $name"
    account_entry passwd "$name" "$uid"
    account_field 7 "$entry"
    [ "$field" = "$shell" ] || to_its_end usermod -s "$shell" "$name" ||
        fail "usermod did not change the shell of user $name"
}
# A new home is made beside and moved, so it is there with its owner or not at all.
make_home() {
    place=$root$home
    if [ ! -d "$place" ]; then
        mkdir -p "${place%/*}" && rm -rf "$place.plinth-new" && mkdir -m 0700 "$place.plinth-new" || return 1
        [ ! -d "$root/etc/skel" ] || cp -R "$root/etc/skel/." "$place.plinth-new/" || return 1
        chmod 0700 "$place.plinth-new" && chown -R "$uid:$gid" "$place.plinth-new" && mv "$place.plinth-new" "$place" || return 1
        labelled "$place"
    elif [ "$(stat -L -c %u "$place")" != "$uid" ]; then
        chown "$uid:$gid" "$place" || return 1
    fi
    account_mode "$place"
    ! writable_for_others || as_user chmod go-w "$place"
}
# Files that root left in .ssh. Links, and names of a file that has others, are not touched.
own_keys() {
    own=$root$home/.ssh
    if [ ! -d "$own" ] || [ -L "$own" ]; then return 0; fi
    [ "$(stat -c %u "$own")" = "$uid" ] || chown -h "$uid:$gid" "$own" || return 1
    own=$own/authorized_keys
    if [ ! -f "$own" ] || [ -L "$own" ] || [ "$(stat -c %h "$own")" != 1 ]; then return 0; fi
    [ "$(stat -c %u "$own")" = "$uid" ] || chown -h "$uid:$gid" "$own"
}
make_keys() {
    own_keys || return 1
    keys_with 1 "$write_keys_sh" || return 1
    if [ ! -L "$root$home/.ssh" ]; then labelled "$root$home/.ssh"; fi
}
# A broken file in sudoers.d takes sudo away from everybody: it is checked under a name that sudo does not read (it has a dot).
make_sudoers() {
    place=$root/etc/sudoers.d/$sudoers_name
    new=$place.plinth-check
    mkdir -p "${place%/*}" && rm -f "$new" || return 1
    (umask 077 && printf '%s' "$sudoers" >"$new") || return 1
    if ! visudo -c -q -f "$new" >/dev/null 2>&1; then
        rm -f "$new"
        fail "visudo refuses the sudoers file"
    fi
    rm -f "$new"
    content=$sudoers
    put "$place" 0440 ''
}
make() {
    make_manager || fail "$manager_file cannot be written"
    make_locks
    make_group
    make_user
    make_home || fail "the home directory $home cannot be made"
    make_keys || fail "authorized keys in $home/.ssh cannot be written"
    make_sudoers || fail "/etc/sudoers.d/$sudoers_name cannot be written"
}
main() {
    has getent || fail "getent is missing"
    has awk || fail "awk is missing"
    if [ "$action" = make ]; then
        seen=$(look)
        case $seen in
            *"@$frame fail "*)
                printf '%s\n' "$seen"
                exit 1
                ;;
            *"@$frame manager "* | *"@$frame clash "* | *"@$frame obstacle "*)
                printf '%s\n' "$seen"
                return 0
                ;;
        esac
        make
    fi
    look
    return 0
}

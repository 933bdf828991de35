# Looks at an account and makes it. Parameters: root name uid gid home shell keys sudoers sudoers_name action (look, make).
# Frames: present, missing, obstacle (cannot be made, and is nobody's clash), clash; the value is in words.
# Sets entry to the entry of a name in a password file, and other to the name that a number belongs to instead. One question for
# both: every process on every node counts. 2 is getent's word for none; a name service that fails has not said so.
# account_entry FILE NAME NUMBER
account_entry() {
    entry=
    other=
    entries=$(getent "$1" "$2" "$3")
    case $? in 0 | 2) ;; *) fail "the name service does not say whether $1 $2 is there" ;; esac
    while IFS=: read -r entry_name entry_rest; do
        if [ "$entry_name" = "$2" ]; then
            entry=$entry_name:$entry_rest
        elif [ -n "$entry_name" ]; then
            other=$entry_name
        fi
    done <<END
$entries
END
}
# Sets field to field N of an entry.
# account_field N ENTRY
account_field() {
    field_left=$1
    field=$2:
    while [ "$field_left" -gt 1 ]; do
        field=${field#*:}
        field_left=$((field_left - 1))
    done
    field=${field%%:*}
}
# Files that the shadow suite changes. Its programs replace one after the other, so one that is killed leaves an account in some
# of them, and its locks: FILE.lock holds the number of its process, FILE+ is the file that it was writing.
shadow_files='passwd group shadow gshadow subuid subgid'
# A lock is stale when its process is gone: none has its number, or one has it that began after the lock was made. (Fields of
# /proc/N/stat are counted behind the name, which may hold blanks; times there are hundredths of seconds since the start.)
is_stale() {
    holder=$(tr -d '\000' <"$1" 2>/dev/null) || return 1
    case $holder in '' | *[!0-9]*) return 0 ;; esac
    [ -r "$root/proc/$holder/stat" ] || return 0
    made=$(stat -c %Y "$1" 2>/dev/null) || return 1
    began=$(awk -v now="$(date +%s)" 'FNR == NR { up = $1; next } { sub(/.*[)] /, ""); printf "%d", now - up + $20 / 100 }' \
        "$root/proc/uptime" "$root/proc/$holder/stat")
    [ "$began" -gt "$((made + 2))" ]
}
look_locks() {
    for lock in $shadow_files; do
        if [ ! -e "$root/etc/$lock.lock" ]; then continue; fi
        ! is_stale "$root/etc/$lock.lock" || emit missing "removal of /etc/$lock.lock, which a killed program left"
    done
}
# Sets record to the line of the account in a file of /etc; empty when there is none.
local_record() {
    record=
    [ -r "$root/etc/$1" ] || return 0
    while IFS= read -r record || [ -n "$record" ]; do
        case $record in "$name":*) return 0 ;; esac
    done <"$root/etc/$1"
    record=
}
# half_made FILE SHADOW: the account is in the one and refers to the other, which is there and does not have it.
half_made() {
    local_record "$1"
    account_field 2 "$record"
    [ "$field" = x ] && [ -f "$root/etc/$2" ] || return 1
    local_record "$2"
    [ -z "$record" ]
}
# The password files are asked through the name service: an account of a directory counts.
look_group() {
    account_entry group "$name" "$gid"
    account_field 3 "$entry"
    if [ -n "$entry" ] && [ "$field" = "$gid" ]; then
        emit present "group $name"
        ! half_made group gshadow || emit missing "entry of group $name in /etc/gshadow"
    elif [ -n "$entry" ]; then
        emit clash "group $name has gid $field, not $gid"
    elif [ -n "$other" ]; then
        emit clash "gid $gid belongs to group $other"
    else
        emit missing "group $name (gid $gid)"
    fi
}
look_user() {
    account_entry passwd "$name" "$uid"
    if [ -n "$entry" ]; then
        look_record
    elif [ -n "$other" ]; then
        emit clash "uid $uid belongs to user $other"
    else
        emit missing "user $name (uid $uid)"
    fi
    [ -x "$root$shell" ] || emit clash "the shell $shell is not there"
}
look_record() {
    account_field 3 "$entry"
    [ "$field" = "$uid" ] || emit clash "user $name has uid $field, not $uid"
    account_field 4 "$entry"
    [ "$field" = "$gid" ] || emit clash "the primary group of user $name has gid $field, not $gid"
    account_field 6 "$entry"
    [ "${field%/}" = "$home" ] || emit clash "the home directory of user $name is $field, not $home"
    emit present "user $name"
    account_field 7 "$entry"
    [ "$field" = "$shell" ] || differing_shell
    ! half_made passwd shadow || emit missing "entry of user $name in /etc/shadow"
    ! is_locked || emit missing "login by key: the account is locked"
}
is_local() {
    local_record passwd
    [ -n "$record" ]
}
differing_shell() {
    if is_local; then
        emit missing "shell $shell (it is $field)"
    else
        emit clash "user $name comes from a directory with the shell $field, not $shell"
    fi
}
# With `UsePAM no`, sshd lets nobody in whose password begins with an exclamation mark. An asterisk locks only the password.
is_locked() {
    is_local || return 1
    local_record shadow
    account_field 2 "$record"
    case $field in '!'*) true ;; *) false ;; esac
}
look_home() {
    place=$root$home
    if [ ! -e "$place" ] && [ ! -L "$place" ]; then
        emit missing "home directory $home"
        return 0
    fi
    account_mode "$place"
    if [ ! -d "$place" ]; then
        emit clash "$home is not a directory"
    elif [ "$owner" = "$uid" ]; then
        emit present "home directory $home"
        ! writable_for_others || emit missing "home directory $home that only its owner writes"
    elif [ "$owner" = 0 ] && content=$(ls -A "$place") && [ -z "$content" ]; then
        emit missing "owner of the home directory $home"
    else
        emit clash "the home directory $home belongs to uid $owner, not $uid"
    fi
}
# sshd's StrictModes refuses keys below a directory that others may write.
writable_for_others() {
    case $bits in *[2367] | *[2367]?) true ;; *) false ;; esac
}
# Sets owner and mode of what a name leads to.
account_mode() {
    owner=$(stat -L -c '%u %a' "$1" 2>/dev/null)
    bits=${owner#* }
    owner=${owner%% *}
}
# The user's files are read and written as the user: a link in its home leads nowhere it could not go itself, and a home on NFS
# may be closed to root.
as_user() {
    if has setpriv; then
        setpriv --reuid "$uid" --regid "$gid" --clear-groups -- "$@"
    else
        runuser -u "$name" -- "$@"
    fi
}
# Reads authorized keys; with merge=1 writes them with the wanted ones in, else names the wanted ones that are not there as
# wanted. Lines with other keys and comments stay as they are. sshd takes the first line with a key, so a second one with
# other options is not wanted either.
# shellcheck disable=SC2016,SC2089 # the dollar signs and quotes are awk's
keys_awk='
function body(line,  n, part, i) {
    n = split(line, part, " ")
    for (i = 1; i < n; i++) if (part[i + 1] ~ /^AAAA/) return part[i] " " part[i + 1]
    return ""
}
function fits(line, wish, key) { return line == wish || (index(line, key) == 1 && index(wish, key) == 1) }
function label(wish, key,  rest) {
    rest = substr(wish, index(wish, key) + length(key) + 1)
    return rest != "" ? rest : substr(key, 1, index(key, " ")) "..." substr(key, length(key) - 11)
}
BEGIN { n = split(ENVIRON["wanted"], want, "\n"); for (i = 1; i <= n; i++) key[i] = body(want[i]) }
{
    keep = 1
    if ($0 !~ /^[ \t]*#/ && (b = body($0)) != "")
        for (i = 1; i <= n; i++)
            if (key[i] == b) {
                if (!got[i] && fits($0, want[i], b)) got[i] = 1
                else { keep = 0; bad[i] = 1 }
            }
    if (keep && ENVIRON["merge"]) print
}
END {
    for (i = 1; i <= n; i++)
        if (ENVIRON["merge"]) { if (!got[i]) print want[i] }
        else if (!got[i] || bad[i]) print "missing authorized key " label(want[i], key[i])
        else print "present authorized key " label(want[i], key[i])
}'
# Runs as the user, in its home directory.
# shellcheck disable=SC2016 # expanded by the inner shell
look_keys_sh='cd "$1" || exit 1
if [ -d .ssh ]; then
    echo present .ssh
    [ "$(stat -L -c "%a %u" .ssh)" = "700 $2" ] || echo "missing mode 0700 and owner of .ssh"
else
    echo missing directory .ssh
fi
[ -d .ssh ] && [ -f .ssh/authorized_keys ] || { awk "$keys_awk" /dev/null; exit; }
[ "$(stat -L -c "%a %u" .ssh/authorized_keys)" = "600 $2" ] || echo "missing mode 0600 and owner of .ssh/authorized_keys"
awk "$keys_awk" .ssh/authorized_keys'
# shellcheck disable=SC2016 # expanded by the inner shell
write_keys_sh='umask 077
cd "$1" || exit 1
[ -d .ssh ] || mkdir .ssh || exit 1
chmod 700 .ssh || exit 1
file=.ssh/authorized_keys
[ ! -d $file ] || exit 1
source=/dev/null
[ ! -e $file ] || source=$file
awk "$keys_awk" "$source" >$file.plinth-new && chmod 600 $file.plinth-new || exit 1
sync $file.plinth-new 2>/dev/null || sync
mv -f $file.plinth-new $file'
keys_with() {
    wanted=$keys
    merge=$1
    # shellcheck disable=SC2090
    export wanted merge keys_awk
    as_user sh -c "$2" account "$root$home" "$uid"
}
look_keys() {
    account_mode "$root$home"
    if [ ! -d "$root$home" ] || [ "$owner" != "$uid" ]; then
        emit missing "authorized keys"
        return 0
    fi
    if ! answers=$(keys_with '' "$look_keys_sh" 2>&1); then
        emit missing "authorized keys that user $name can read"
        return 0
    fi
    while read -r aspect words; do
        case $aspect in present | missing) emit "$aspect" "$words" ;; esac
    done <<END
$answers
END
}
look_sudoers() {
    has visudo || emit obstacle "sudo is not installed"
    place=$root/etc/sudoers.d/$sudoers_name
    main=$root/etc/sudoers
    [ -e "$main" ] || main=$root/usr/etc/sudoers
    grep -Eqs '^[#@]includedir[[:space:]]+(/usr)?/etc/sudoers\.d' "$main" || emit obstacle "sudo does not read /etc/sudoers.d"
    if [ ! -f "$place" ]; then
        emit missing "sudoers file /etc/sudoers.d/$sudoers_name"
    elif [ "$(cat "$place")" = "${sudoers%"$line_feed"}" ] && [ "$(stat -c %a "$place")" = 440 ]; then
        emit present "sudoers file"
    else
        emit missing "content and mode of /etc/sudoers.d/$sudoers_name"
    fi
}
look() {
    look_manager
    look_locks
    look_group
    look_user
    look_home
    look_keys
    look_sudoers
}

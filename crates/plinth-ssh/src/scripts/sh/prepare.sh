# What a node needs that the engine does not do. Parameters: root action hosts (lines `ADDRESS NAME`) modules sysctls (lines
# `KEY=VALUE`) swap_off time_service (yes or no).
# Frames: lack (what set does), foreign (contradicts, and is not ours to change).
hosts_file=$root/etc/hosts
modules_file=$root/etc/modules-load.d/plinth.conf
sysctl_file=$root/etc/sysctl.d/90-plinth.conf
begin_mark='# begin plinth'
end_mark='# end plinth'
block() {
    sed -n "/^$begin_mark\$/,/^$end_mark\$/p" "$hosts_file" 2>/dev/null | grep -vxF -e "$begin_mark" -e "$end_mark"
}
# Without its end the block would reach to the end of the file, and take with it what others wrote there.
is_half() {
    [ "$(grep -cxF -e "$begin_mark" "$hosts_file" 2>/dev/null)" != "$(grep -cxF -e "$end_mark" "$hosts_file" 2>/dev/null)" ]
}
outside() {
    [ -e "$hosts_file" ] || return 0
    sed "/^$begin_mark\$/,/^$end_mark\$/d" "$hosts_file" 2>/dev/null
}
# others NAME ADDRESS: other addresses that lines outside our block give the name.
others() {
    outside | awk -v name="$1" -v address="$2" '
        { sub(/#.*/, ""); for (i = 2; i <= NF; i++) if ($i == name && $1 != address && $1 !~ /:/) { print $1; exit } }'
}
# `ahostsv4` tells nothing on a machine that has no address but its loopback yet; `hosts` prefers IPv6.
resolves() {
    { getent ahostsv4 "$1" || getent hosts "$1"; } 2>/dev/null | awk '{ print $1 }' | grep -qxF -- "$2"
}
# A name that resolves without our line needs none; one that resolves by our line keeps it.
wanted_block() {
    printf '%s\n' "$hosts" | while read -r address host; do
        [ -n "$host" ] || continue
        if block | grep -qxF -- "$address $host" || ! resolves "$host" "$address"; then printf '%s %s\n' "$address" "$host"; fi
    done
}
look_hosts() {
    if is_half; then
        emit foreign "/etc/hosts has one of the lines $begin_mark and $end_mark without the other; write the missing one, or take it out"
        return 0
    fi
    printf '%s\n' "$hosts" | while read -r address host; do
        [ -n "$host" ] || continue
        other=$(others "$host" "$address")
        if [ -n "$other" ]; then
            emit foreign "a line of /etc/hosts gives $host the address $other, not $address"
        elif ! resolves "$host" "$address"; then
            emit lack "hosts line $address $host"
        fi
    done
    block | while read -r line; do
        printf '%s\n' "$hosts" | grep -qxF -- "$line" || emit lack "hosts line $line is no longer wanted"
    done
}
set_hosts() {
    ! is_half || return 0
    lines=$(wanted_block)
    [ "$lines" != "$(block)" ] || return 0
    content=$(outside) || fail "/etc/hosts cannot be read"
    [ -z "$lines" ] || content="$content
$begin_mark
$lines
$end_mark"
    content="$content
"
    put "$hosts_file" 0644 '' || fail "/etc/hosts cannot be written"
}
# A module that is built in is loaded.
is_loaded() {
    plain=$(printf '%s' "$1" | tr - _)
    [ -d "$root/sys/module/$plain" ] || sed 's/-/_/g' "$root/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null | grep -q "/$plain\.ko"
}
listed() {
    [ -z "$2" ] || [ "$(cat "$1" 2>/dev/null)" = "# Written by plinth.
$2" ]
}
look_modules() {
    for module in $modules; do
        is_loaded "$module" || emit lack "module $module is not loaded"
    done
    listed "$modules_file" "$modules" || emit lack "modules at start: ${modules_file#"$root"}"
}
set_list() {
    listed "$1" "$2" && return 0
    content="# Written by plinth.
$2
"
    mkdir -p "${1%/*}" && put "$1" 0644 '' || fail "${1#"$root"} cannot be written"
}
set_modules() {
    set_list "$modules_file" "$modules"
    for module in $modules; do
        is_loaded "$module" || modprobe "$module" || fail "module $module cannot be loaded"
    done
}
# A key with a slash has it where other keys have dots: an interface may have a dot in its name.
sysctl_path() {
    case $1 in */*) printf '%s/proc/sys/%s' "$root" "$1" ;; *) printf '%s/proc/sys/%s' "$root" "$(printf '%s' "$1" | tr . /)" ;; esac
}
sysctl_now() {
    tr '\t' ' ' 2>/dev/null <"$(sysctl_path "$1")"
}
each_sysctl() {
    printf '%s\n' "$sysctls" | while IFS='=' read -r key value; do
        [ -z "$key" ] || "$1" "$key" "$value" || exit 1
    done
}
look_sysctl() {
    now=$(sysctl_now "$1")
    if [ ! -e "$(sysctl_path "$1")" ]; then
        emit lack "sysctl $1=$2 (the kernel does not know it now)"
    elif [ "$now" != "$2" ]; then
        emit lack "sysctl $1=$2 (it is $now)"
    fi
    for conf in "$root"/etc/sysctl.d/*.conf "$root/etc/sysctl.conf"; do
        [ -f "$conf" ] && later "${conf##*/}" || continue
        set_there=$(awk -F = -v key="$1" '{ k = $1; gsub(/[ \t-]/, "", k); if (k == key) { v = $2; gsub(/^[ \t]+|[ \t]+$/, "", v) } } END { print v }' "$conf")
        if [ -n "$set_there" ] && [ "$set_there" != "$2" ]; then emit foreign "${conf#"$root"} sets $1 to $set_there at start, not $2"; fi
    done
    return 0
}
# later NAME: whether a file is read after ours.
later() {
    [ "$1" = sysctl.conf ] || [ "$(printf '%s\n' "$1" 90-plinth.conf | LC_ALL=C sort | tail -n 1)" != 90-plinth.conf ]
}
look_sysctls() {
    each_sysctl look_sysctl
    listed "$sysctl_file" "$sysctls" || emit lack "settings at start: ${sysctl_file#"$root"}"
}
set_sysctl() {
    [ "$(sysctl_now "$1")" = "$2" ] || printf '%s\n' "$2" 2>/dev/null >"$(sysctl_path "$1")" || {
        emit unset "$1=$2"
        return 1
    }
}
set_sysctls() {
    set_list "$sysctl_file" "$sysctls"
    each_sysctl set_sysctl || fail "a kernel setting cannot be written"
}

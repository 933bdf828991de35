# Refusals, before anything is changed.
refuse_paths() {
    case $root$to/ in "$root$from"/*) fail "$to is inside $from" ;; esac
    case $root$from/ in "$root$to"/*) fail "$from is inside $to" ;; esac
    if [ -L "$root$from" ]; then fail "$from is a link to $(readlink "$root$from"), which is not $to"; fi
    if [ -e "$root$from" ] && [ ! -d "$root$from" ]; then fail "$from is not a directory"; fi
    for left in "$old" "$part"; do
        if [ -e "$left" ]; then fail "${left#"$root"} is left from an earlier move; remove it first"; fi
    done
    if [ -L "$root$to" ] || ! is_empty "$root$to"; then fail "$to is not empty and is not the copy of this move; move it away first"; fi
    if configured; then fail "containerd is already configured to keep its data in $to"; fi
    cp --version 2>/dev/null | grep -q -e GNU -e uutils || fail "cp of GNU coreutils is missing; another cp loses attributes"
    tar --version 2>/dev/null | grep -q GNU || fail "GNU tar is missing"
    has flock || fail "flock is missing (util-linux)"
}
# nearest PATH: the deepest directory of it that is there.
nearest() {
    near=$1
    while [ ! -d "$near" ]; do near=${near%/*}; near=${near:-/}; done
    printf '%s\n' "$near"
}
# disk COLUMN PATH: of `df`; 4 is what is free, KiB, 6 the mount point.
disk() {
    df -Pk "$2" | awk -v column="$1" 'NR == 2 { print $column }'
}
refuse_target() {
    target=$(dirname "$root$to")
    [ -d "$target" ] || fail "${to%/*} is not there: the larger partition is not mounted"
    if [ "$(disk 6 "$target")" = "$(disk 6 "$(nearest "$root$from")")" ]; then fail "$to is on the same file system as $from"; fi
    need=$(kib "$root$from")
    need=$((${need:-0} + ${need:-0} / 10 + 1048576))
    free=$(disk 4 "$target")
    [ "${free:-0}" -ge "$need" ] || fail "$to has $((${free:-0} / 1024)) MiB free, the move needs $((need / 1024)) MiB"
}
# Containers outlive containerd, each below a shim, and go on writing to the data they have mounted.
shims() {
    for comm in "$root"/proc/[0-9]*/comm; do
        read -r process 2>/dev/null <"$comm" || continue
        case $process in containerd-shim*) echo "$process" ;; esac
    done | grep -c .
}
refuse_running() {
    found=$(shims)
    [ "$found" = 0 ] || fail "$found containers are running: $(running); stop them first"
}
running() {
    has ctr || return 0
    ctr namespaces ls -q 2>/dev/null | while read -r space; do
        ctr -n "$space" tasks ls 2>/dev/null | awk -v space="$space" 'NR > 1 { printf "%s/%s ", space, $1 }'
    done
}
mount_below() {
    awk -v from="$root$from" '$5 == from || index($5, from "/") == 1 { print $5; exit }' "$root/proc/self/mountinfo" 2>/dev/null
}
refuse_mounts() {
    below=$(mount_below) || fail "it cannot be read what is mounted"
    [ -z "$below" ] || fail "$below is a mount point; the data below it cannot be renamed"
}
# images FILE: every image of every namespace, and whether its content is whole. Fails when containerd cannot be asked.
images() {
    : >"$1"
    spaces=$(ctr namespaces ls -q) || return 1
    for space in $spaces; do
        checked=$(ctr -n "$space" images check 2>/dev/null) || return 1
        printf '%s\n' "$checked" | awk -v space="$space" 'NR > 1 { print space, $1, $4 }' >>"$1"
    done
    LC_ALL=C sort -o "$1" "$1"
}
# Docker keeps its images elsewhere, but on some systems runs its containers by this containerd. Kubelet would start it again.
stop_services() {
    for unit in kubelet.service docker.socket docker.service containerd.service; do
        if active "$unit"; then systemctl stop "$unit" || roll_back "$unit does not stop"; fi
    done
    if active containerd.service; then roll_back "containerd does not stop"; fi
    found=$(shims)
    [ "$found" = 0 ] || roll_back "$found containers are running; stop them first"
    below=$(mount_below) || roll_back "it cannot be read what is mounted"
    [ -z "$below" ] || roll_back "$below is a mount point"
}
list_services() {
    services=
    for unit in containerd.service docker.service docker.socket kubelet.service; do
        if active "$unit"; then services="$services$unit "; fi
    done
}
start_services() {
    for unit in $services; do
        systemctl start "$unit" || fail "$unit does not start from $1; the next run tries again"
    done
}
guard() {
    mkdir -p "${dropin%/*}" || return 1
    content="# Written by plinth: containerd keeps its data in $to, and does not start while the data is being moved.
[Unit]
RequiresMountsFor=$to
ConditionPathExists=!$moving
"
    put "$dropin" 0644 '' && reload
}
reload() {
    ! has systemctl || systemctl daemon-reload
}
# roll_back WHY: nothing was renamed yet, the original is as it was.
roll_back() {
    set_stage undoing
    undo
    fail "$1; nothing was moved and containerd is as before"
}
undo() {
    rm -rf "$part"
    rm -f "$moving" "$dropin"
    reload
    start_services "$from"
    rm -f "$state/storage"
    durable "$state"
    stage=
}
# Bytes on the target since the copy began, about every 2 s. Ends with the script, or when its copy has ended.
report_copy() {
    total=$(kib "$root$from")
    before=$(disk 3 "${part%/*}")
    while kill -0 $$ 2>/dev/null && [ -e "$moving" ]; do
        sleep 2 >/dev/null 2>&1
        now=$(disk 3 "${part%/*}")
        now=$((${now:-0} - ${before:-0}))
        # Others write there too.
        [ "$now" -le "$total" ] || now=$total
        [ "$now" -ge 0 ] || now=0
        progress "$((now * 1024))" "$((total * 1024))" copying
    done
}
# What an interrupted copy left half-made has a later time than its original: cp sets times when a file is complete.
# A file whose owner or attributes are missing is found by the comparison, and then everything is copied anew.
copy() {
    mkdir -p "$part" || return 1
    find "$part" ! -type d -newer "$moving" -delete || return 1
    report_copy 9>&- 2>/dev/null &
    reporter=$!
    cp -a -u "$root$from/." "$part/"
    copied=$?
    kill "$reporter" 2>/dev/null
    wait "$reporter" 2>/dev/null
    return "$copied"
}
# One digest over all names, types, modes, owners, times, link targets, hard links, device numbers and contents: of the stream
# that tar makes in the order of names. Extended attributes and ACLs come in another order on another file system, so they are
# listed apart: with values by getfattr, else by name and length by tar. SELinux labels are the target's own. A listing that
# fails names its directory, so two that fail are never the same.
tree_of() {
    {
        cd "$1" && tar --sort=name --format=gnu --numeric-owner -cf - . || echo "failed in $1"
    } 2>/dev/null | sha256sum
    if has getfattr; then
        {
            cd "$1" && find . -print0 | LC_ALL=C sort -z |
                xargs -0 -r getfattr -h -d -m '^(user|trusted|system)[.]|^security[.]capability$' -e hex -- || echo "failed in $1"
        } 2>/dev/null | sha256sum
    else
        {
            cd "$1" && tar --sort=name --format=posix --xattrs --xattrs-include='*' --acls -cf - . || echo "failed in $1"
        } 2>/dev/null | tar --xattrs --acls -tvvf - 2>/dev/null | grep '^  [xa]: ' | grep -v 'security[.]selinux' | sha256sum
    fi
}
same_trees() {
    [ "$(tree_of "$root$from")" = "$(tree_of "$part")" ]
}

fstab_swaps() {
    awk '$1 !~ /^#/ && $3 == "swap" { print $1 }' "$root/etc/fstab" 2>/dev/null
}
# Units that would switch swap on, with their state. Those of fstab are gone with its line; a disabled one stays off.
# Fails when systemd does not list them; without a match it may end with 1.
swap_units() {
    has_systemd || return 0
    units=$(systemctl list-unit-files --type=swap --no-legend --no-pager 2>&1)
    case $units in *'Failed to '*) return 1 ;; esac
    printf '%s\n' "$units" | awk '$1 ~ /[.]swap$/ && $2 != "masked" && $2 != "disabled" { print $1, $2 }'
    for unit in zramswap.service zram-config.service zram-swap.service; do
        ! systemctl is-enabled "$unit" >/dev/null 2>&1 || echo "$unit enabled"
    done
}
# A unit that a generator makes (zram, a partition that systemd found by itself) can only be masked; a unit file of the machine
# cannot be masked, since it lies where the mask would.
switch_off() {
    case $2 in
        enabled*) systemctl disable --now "$1" ;;
        *) systemctl mask --now "$1" ;;
    esac </dev/null >/dev/null 2>&1
}
look_swap() {
    [ "$swap_off" = yes ] || return 0
    awk 'NR > 1 { print $1 }' "$root/proc/swaps" 2>/dev/null | while read -r device; do emit lack "swap on $device is in use"; done
    fstab_swaps | while read -r device; do emit lack "swap on $device at start: /etc/fstab"; done
    swaps=$(swap_units) || fail "systemd does not list its units of swap"
    printf '%s\n' "$swaps" | while read -r unit how; do
        [ -z "$unit" ] || emit lack "swap at start: $unit"
    done
}
set_swap() {
    [ "$swap_off" = yes ] || return 0
    if [ -n "$(fstab_swaps)" ]; then
        content=$(awk '$1 !~ /^#/ && $3 == "swap" { print "# plinth: " $0; next } { print }' "$root/etc/fstab") &&
            content="$content
" && put "$root/etc/fstab" "$(stat -L -c %a "$root/etc/fstab")" '' || fail "/etc/fstab cannot be written"
    fi
    swaps=$(swap_units) || fail "systemd does not list its units of swap"
    # Those that were generated may be of lines that fstab no longer has: of now, or of a run that was killed here. A mask would stay.
    case $swaps in
        *' generated'*)
            systemctl daemon-reload || fail "systemd does not read its files again"
            swaps=$(swap_units) || fail "systemd does not list its units of swap"
            ;;
    esac
    while read -r unit how; do
        [ -z "$unit" ] || switch_off "$unit" "$how" || fail "$unit cannot be switched off"
    done <<END
$swaps
END
    [ -z "$(awk 'NR > 1' "$root/proc/swaps" 2>/dev/null)" ] || swapoff -a || fail "swapoff failed: is there memory for what is swapped out?"
}
# Sets unit to the service that is active, else the first that is installed, under its own name: an alias cannot be enabled. To start
# one may stop the other.
time_unit() {
    unit=
    for how in active loaded; do
        for name in chrony chronyd systemd-timesyncd ntpd ntp ntpsec openntpd; do
            "$how" "$name.service" || continue
            unit=$(systemctl show -p Id --value "$name.service")
            [ -n "$unit" ] || fail "systemd does not say what $name.service is"
            return 0
        done
    done
}
look_time() {
    [ "$time_service" = yes ] || return 0
    time_unit
    if [ -z "$unit" ]; then
        emit foreign "no time service is installed"
    elif ! active "$unit"; then
        emit lack "time service $unit does not run"
    elif ! enabled "$unit"; then
        emit lack "time service $unit does not start with the machine"
    fi
}
set_time() {
    [ "$time_service" = yes ] || return 0
    time_unit
    [ -n "$unit" ] || return 0
    systemctl enable --now "$unit" >/dev/null 2>&1 || fail "time service $unit cannot be started"
}
look() {
    look_hosts
    look_modules
    look_sysctls
    look_swap
    look_time
    emit looked yes
}
main() {
    if [ "$action" = 'set' ]; then
        set_hosts
        set_modules
        set_sysctls
        set_swap
        set_time
    fi
    look
    return 0
}

# Units of systemd. `root` is empty on a node.
# A busy systemd may not answer in time. That is neither yes nor no, and ends the script.
has_systemd() {
    has systemctl && [ -d "$root/run/systemd/system" ]
}
# active UNIT: whether it runs. Without systemd nothing does.
active() {
    has_systemd || return 1
    for unit_try in 1 2; do
        unit_state=$(systemctl is-active "$1" 2>/dev/null)
        case $unit_state in
            active | reloading | refreshing) return 0 ;;
            ?*) return 1 ;;
        esac
    done
    fail "systemd does not say whether $1 runs"
}
# loaded UNIT: whether there is one of this name that may be started.
loaded() {
    has_systemd || return 1
    for unit_try in 1 2; do
        unit_state=$(systemctl show -p LoadState "$1" 2>/dev/null)
        case $unit_state in
            LoadState=not-found | LoadState=masked) return 1 ;;
            LoadState=?*) return 0 ;;
        esac
    done
    fail "systemd does not say whether there is $1"
}
# enabled UNIT: whether a unit that is loaded starts with the machine.
enabled() {
    for unit_try in 1 2; do
        if unit_state=$(systemctl is-enabled "$1" 2>/dev/null); then return 0; fi
        [ -z "$unit_state" ] || return 1
    done
    fail "systemd does not say whether $1 starts with the machine"
}

# Looks for what Kubernetes leaves on a node, and takes it away. Parameters: root action (look, clear).
# Frames: running (works still: nothing is taken away), leftovers (something that is left), looked.
# containerd, its images and what belongs to other programs stay. Where the engine took containerd away, its settings are left
# over: logins of registries may be among them.
directories='/etc/kubernetes /var/lib/kubelet /var/lib/etcd /etc/ssl/etcd /var/lib/cni /var/lib/calico /etc/calico'
files='/etc/etcd.env /etc/systemd/system/kubelet.service /etc/systemd/system/etcd.service /etc/systemd/system/etcd-events.service'
programs='kubelet kubeadm kubectl etcd etcdctl etcdutl'
links='cni0 kube-ipvs0 nodelocaldns vxlan.calico flannel.1'
for place in /usr/local/bin /usr/bin /usr/sbin /cm/local/apps/containerd/current/bin; do
    [ ! -e "$root$place/containerd" ] || containerd=$root$place/containerd
done
[ -n "${containerd-}" ] || directories="$directories /etc/containerd"
# Names as the kernel keeps them: 15 characters.
look_running() {
    for comm in "$root"/proc/[0-9]*/comm; do
        read -r process 2>/dev/null <"$comm" || continue
        case $process in
            kubelet | kube-apiserver | kube-controller | kube-scheduler | kube-proxy | etcd) emit running "$process" ;;
        esac
    done
}
is_full() {
    [ -d "$1" ] && [ -n "$(find "$1" -mindepth 1 -print 2>/dev/null | head -n 1)" ]
}
# Networks of other programs are in that directory as well.
networks() {
    for network in "$root"/etc/cni/net.d/*; do
        case ${network##*/} in *calico* | *flannel* | *cilium* | *kube-ovn* | *kuberouter* | *multus*) printf '%s\n' "$network" ;; esac
    done
}
look_files() {
    for directory in $directories; do
        ! is_full "$root$directory" || emit leftovers "content of $directory"
    done
    for file in $files; do
        [ ! -e "$root$file" ] || emit leftovers "file $file"
    done
    for program in $programs; do
        [ ! -e "$root/usr/local/bin/$program" ] || emit leftovers "program /usr/local/bin/$program"
    done
    networks | while IFS= read -r network; do emit leftovers "network ${network#"$root"}"; done
}
# systemd knows a unit whose file was taken away until it reads its files again: a run may have been killed in between.
look_units() {
    has systemctl && [ -d "$root/run/systemd/system" ] || return 0
    gone=
    for file in $files; do
        case $file in *.service) [ -e "$root$file" ] || gone="$gone ${file##*/}" ;; esac
    done
    [ -n "$gone" ] || return 0
    known=$(systemctl show -p Id -p FragmentPath -p NeedDaemonReload $gone 2>/dev/null)
    [ -n "$known" ] || fail "systemd does not say which units it knows"
    printf '%s\n' "$known" | awk 'BEGIN { RS = ""; FS = "\n" } /(^|\n)NeedDaemonReload=yes/ {
        for (i = 1; i <= NF; i++) if ($i ~ /^FragmentPath=\/etc\/systemd\/system\//) { sub(/.*\//, "", $i); print $i } }' |
        while read -r unit; do emit leftovers "unit $unit, which systemd still knows"; done
}
look_links() {
    for link in $links; do
        [ ! -e "$root/sys/class/net/$link" ] || emit leftovers "network link $link"
    done
}
# count_chains FAMILY: sets chains to how many of Kubernetes and of Calico are in all tables, and rules to all rules. A kernel without
# packet filters has none; rules that cannot be read are not none.
count_chains() {
    chains=0
    has "$1-save" || return 0
    if ! rules=$("$1-save" 2>/dev/null); then
        why=$("$1-save" 2>&1 >/dev/null)
        case $why in *'Protocol not supported'*) return 0 ;; esac
        rules=$("$1-save" 2>/dev/null) || fail "the rules of $1 cannot be read: ${why:-it does not say why}"
    fi
    chains=$(printf '%s\n' "$rules" | grep -c -E '^:(KUBE-|cali-)')
}
look_chains() {
    for family in iptables ip6tables; do
        count_chains "$family"
        [ "$chains" = 0 ] || emit leftovers "$chains chains of Kubernetes in $family"
    done
}
look() {
    look_running
    look_files
    look_units
    look_links
    look_chains
    emit looked yes
}
# What a dead kubelet left mounted goes first, the deepest before what holds it.
clear_mounts() {
    while read -r device place rest; do
        case $place in /var/lib/kubelet/*) printf '%s\n' "$place" ;; esac
    done <"$root/proc/mounts" | sort -r | while IFS= read -r place; do umount "$place" || exit 1; done
}
clear_files() {
    for directory in $directories; do
        [ -d "$root$directory" ] || continue
        find "$root$directory" -xdev -mindepth 1 -delete || fail "$directory cannot be emptied"
        # It may be a file system of its own.
        rmdir "$root$directory" 2>/dev/null
    done
    for file in $files; do
        rm -f "$root$file" || fail "$file cannot be removed"
    done
    for program in $programs; do
        rm -f "$root/usr/local/bin/$program" || fail "/usr/local/bin/$program cannot be removed"
    done
    networks | while IFS= read -r network; do rm -f "$network"; done
    systemctl daemon-reload >/dev/null 2>&1
}
clear_links() {
    for link in $links; do
        [ ! -e "$root/sys/class/net/$link" ] || ip link delete "$link" || fail "network link $link cannot be removed"
    done
}
# All rules but those of Kubernetes and Calico are put back in one go: rules and chains that name each other go together.
clear_chains() {
    for family in iptables ip6tables; do
        count_chains "$family"
        [ "$chains" != 0 ] || continue
        printf '%s\n' "$rules" | grep -v -E 'KUBE-|cali-|cali:' | "$family-restore" || fail "chains of Kubernetes in $family cannot be removed"
    done
}
main() {
    if [ "$action" = clear ]; then
        running=$(look_running)
        if [ -n "$running" ]; then
            printf '%s\n' "$running"
            fail "Kubernetes still runs here: nothing was taken away"
        fi
        clear_mounts || fail "what is mounted below /var/lib/kubelet cannot be unmounted"
        clear_files
        clear_links
        clear_chains
    fi
    look
    return 0
}

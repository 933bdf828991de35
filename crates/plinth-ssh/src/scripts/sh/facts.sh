# Reads the machine and changes nothing. Most of it is raw lines of /proc, /sys and /etc, taken apart by the reader, so that one
# awk does what would be a hundred processes. What cannot be read, or whose program is missing, is left out.
# Parameters: paths, names, urls (lines), images_from, images_to.

# One answer without a process. The value has no line break.
say() {
    printf '\n@%s %s %s\n' "$frame" "$1" "$2"
}

# Lines of a program's output, one answer each.
lines() {
    printf '\n'
    sed "s/^/@$frame $1 /"
}

# Runs a program that may hang: seconds, then the program. Without timeout(1) the deadline of the whole script is the limit.
limited() {
    has timeout || shift
    if has timeout; then timeout "$@"; else "$@"; fi
}

# Runs a program whose silence would be taken for an answer, such as "not installed": one that does not answer in its time is named,
# and then nothing is judged. 124 is what timeout(1) says of it; busybox says how the program was ended.
needed() {
    limited 20 "$@"
    case $? in
        0) return 0 ;;
        124 | 137 | 143) say unanswered "$1 $2" >&3 ;;
    esac
    return 1
}

now() {
    say "clock.$1" "$(date +%s%N)"
}

# Lines of files: arguments `key=path`. A key that does not come out of awk's filter is sent whole.
raw() {
    for pair in "$@"; do
        shift
        if [ -f "${pair#*=}" ] && [ -r "${pair#*=}" ]; then
            set -- "$@" "key=${pair%%=*}" "${pair#*=}"
        fi
    done
    printf '\n'
    if has awk; then
        awk -v frame="$frame" "$filter" "$@"
    else
        raw_slowly "$@"
    fi
}

# Without awk. Files that may hold credentials or thousands of lines are left out.
raw_slowly() {
    while [ $# -gt 1 ]; do
        case $1 in
            key=proxy | key=tcp | key=builtin | key=dgx | key=containerd*) ;;
            *) while IFS= read -r line || [ -n "$line" ]; do say "${1#key=}" "$line"; done <"$2" ;;
        esac
        shift 2
    done
}

# Listening sockets only; mounts without those of pods; proxies without credentials; no serial numbers.
filter='
    key == "tcp" && $4 != "0A" { next }
    key == "tcp" { $0 = $2 }
    key == "route" && $2 != "00000000" { next }
    key == "mount" && $2 ~ /^\/(proc|dev|run)\// { next }
    key == "mount" && $2 ~ /^\/var\/lib\/(kubelet\/pods|docker)\/./ { next }
    key == "meminfo" && !/^MemTotal/ { next }
    key == "module" { $0 = $1 }
    key == "builtin" && !/\/(br_netfilter|overlay|ip_vs[a-z_]*|nf_conntrack|dummy)\.ko/ { next }
    key == "dgx" && !/^DGX_(OTA|SWBUILD)_VERSION=/ { next }
    key == "proxy" && !/(https?|no|all|HTTPS?|NO|ALL)_(proxy|PROXY)=|::[Pp]roxy|^proxy *=/ { next }
    key == "proxy" && /^[ \t]*(#|\/\/)/ { next }
    key == "proxy" { gsub(/\/\/.*@/, "//") }
    key ~ /^containerd/ && !/^[ \t]*(root[ \t]*=|\[)/ { next }
    { print "@" frame " " key " " $0 }
'

identity() {
    kernel=
    read -r kernel </proc/sys/kernel/osrelease || kernel=$(uname -r)
    say kernel "$kernel"
    machine=
    read -r machine </proc/sys/kernel/arch || machine=$(uname -m)
    say architecture "$machine"
    for file in "/lib/modules/$kernel/build" "/usr/src/linux-headers-$kernel" "/usr/src/kernels/$kernel"; do
        [ -e "$file/Makefile" ] && say headers yes
    done
    [ -r /sys/devices/system/cpu/online ] || say cpus "$(nproc)"
}

# Settings are named by their files: `sysctl.net/ipv4/ip_forward`.
files() {
    set -- cpu=/sys/devices/system/cpu/online meminfo=/proc/meminfo swap=/proc/swaps hostname=/proc/sys/kernel/hostname \
        mount=/proc/self/mounts tcp=/proc/net/tcp tcp=/proc/net/tcp6 route=/proc/net/route resolv=/etc/resolv.conf \
        module=/proc/modules builtin="/lib/modules/$kernel/modules.builtin" os=/etc/os-release dgx=/etc/dgx-release \
        selinux.enforce=/sys/fs/selinux/enforce selinux.config=/etc/selinux/config \
        apparmor=/sys/module/apparmor/parameters/enabled driver=/sys/module/nvidia/version driver=/proc/driver/nvidia/version \
        containerd.config=/etc/containerd/config.toml \
        containerd.config.cm=/cm/local/apps/containerd/var/etc/config.toml
    for name in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables \
        net/ipv6/conf/all/disable_ipv6 vm/overcommit_memory kernel/panic kernel/panic_on_oops \
        fs/inotify/max_user_instances fs/inotify/max_user_watches; do
        set -- "$@" "sysctl.$name=/proc/sys/$name"
    done
    for file in /etc/environment /etc/profile.d/*proxy* /etc/sysconfig/proxy /etc/systemd/system.conf \
        /etc/systemd/system.conf.d/*.conf /etc/systemd/system/containerd.service.d/*.conf \
        /etc/systemd/system/docker.service.d/*.conf /etc/apt/apt.conf.d/*proxy* /etc/dnf/dnf.conf /etc/yum.conf; do
        set -- "$@" "proxy=$file"
    done
    for file in /proc/driver/nvidia/gpus/*/information; do set -- "$@" "gpu=$file"; done
    raw "$@"
}

login_environment() {
    for name in http_proxy https_proxy no_proxy all_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY; do
        eval "value=\${$name-}"
        case $value in
            '') continue ;;
            *://*@*) value="${value%%://*}://${value##*@}" ;;
            *@*) value=${value##*@} ;;
        esac
        emit proxy "$name=$value"
    done
    home=$HOME
    case ${SUDO_USER-} in
        '' | root) ;;
        *[!A-Za-z0-9._-]*) ;;
        *) eval "home=~$SUDO_USER" ;;
    esac
    emit home "$home"
}

# How the login becomes root. A sudo that asks for a password says so before it says whether it would allow anything.
becomes_root() {
    user=
    while read -r key user _; do
        [ "$key" = Uid: ] && break
    done </proc/self/status
    [ -n "$user" ] || user=$(id -u)
    how=none
    if [ "$user" = 0 ]; then
        case ${SUDO_USER-root} in root) how=root ;; *) how=sudo ;; esac
    elif has sudo; then
        refusal=$(needed sudo -n true 2>&1 </dev/null) && how=sudo
        case $how$refusal in none*assword*) how=sudo-password ;; esac
    fi
    say root "$how"
}

# Vendor 10de is NVIDIA.
devices() {
    for device in /sys/bus/pci/devices/*; do
        vendor=
        read -r vendor <"$device/vendor" || continue
        if [ "$vendor" = 0x10de ] && read -r class <"$device/class"; then
            say pci "$class"
        fi
    done
    [ -d /sys/bus/pci/devices ] && say pci seen
}

# Vendor 15b3 is Mellanox. A virtual function names its adapter (`physfn`) and is left out; type 32 is InfiniBand (if_arp.h).
adapters() {
    for link in /sys/class/net/*; do
        vendor= kind= functions=-
        read -r vendor <"$link/device/vendor" || continue
        [ "$vendor" = 0x15b3 ] && [ ! -e "$link/device/physfn" ] && read -r kind <"$link/type" || continue
        [ -r "$link/device/sriov_totalvfs" ] && read -r functions <"$link/device/sriov_totalvfs"
        say adapter "${link##*/} $kind $functions"
    done
}

# The GPU operator has its driver and its toolkit below /run/nvidia and /usr/local/nvidia, and puts no program into the PATH.
nvidia_software() {
    answer=no
    has nvidia-smi && answer=yes
    say driver.installed "$answer"
    answer=no
    for file in /etc/containerd/config.toml /etc/containerd/conf.d/*.toml /cm/local/apps/containerd/var/etc/config.toml \
        /cm/local/apps/containerd/var/etc/conf.d/*.toml; do
        [ -r "$file" ] || continue
        while IFS= read -r line; do
            case $line in *BinaryName*/usr/local/nvidia/*) ;; *BinaryName*nvidia-container-runtime*) answer=yes ;; esac
        done <"$file"
    done
    say toolkit.installed "$answer"
}

# nvidia-smi is asked only for what /proc does not tell: names of GPUs that nothing has opened yet.
driver_words() {
    [ -e /proc/driver/nvidia/version ] && has nvidia-smi || return 0
    for file in /proc/driver/nvidia/gpus/*/information; do
        model=
        [ -r "$file" ] && read -r model <"$file"
        case $model in *NVIDIA* | *Tesla*) return 0 ;; esac
    done
    limited 10 nvidia-smi --query-gpu=name --format=csv,noheader | lines gpu.name &
}

# Only units that are there are asked for: looking for one in vain costs systemd more than telling of one. timedatectl starts a
# service of its own; where nothing keeps the time it has nothing to tell.
services() {
    [ -d /run/systemd/system ] && has systemctl || return 0
    set -- containerd docker kubelet crio etcd nvidia-fabricmanager nvidia-persistenced firewalld ufw apparmor \
        systemd-resolved k3s k3s-agent rke2-server rke2-agent snap.microk8s.daemon-kubelite cmd
    for name in chronyd chrony ntpd ntp ntpsec systemd-timesyncd; do
        has_unit "$name" && set -- "$name" "$@" && keeps_time=yes
    done
    for name in "$@"; do
        shift
        has_unit "$name" && set -- "$@" "$name"
    done
    [ $# = 0 ] || needed systemctl show -p Id -p LoadState -p ActiveState -p ExecStart "$@" | lines service
    [ -n "${keeps_time-}" ] && has timedatectl && limited 3 timedatectl show -p NTPSynchronized | lines time
}

has_unit() {
    for folder in /etc /run /usr/local/lib /usr/lib /lib; do
        [ -e "$folder/systemd/system/$1.service" ] && return 0
    done
    [ -e "/run/systemd/generator/$1.service" ] || [ -e "/run/systemd/generator.late/$1.service" ]
}

addresses() {
    has ip && needed ip -o addr show | lines address
}

# Processes behind ports are told to root only.
listeners() {
    [ "$user" = 0 ] && has ss && needed ss -Hltnp | lines socket
}

# Free space where a directory is, or would be made.
spaces() {
    set --
    while IFS= read -r path; do
        [ -n "$path" ] || continue
        there=$path
        while [ ! -d "$there" ] && [ -n "$there" ]; do there=${there%/*}; done
        [ "$there" = "$path" ] && state=there || state=parent
        say space.path "$state $path"
        set -- "$@" "${there:-/}"
    done <<END_OF_PATHS
$paths
END_OF_PATHS
    [ $# -gt 0 ] && has df || return 0
    needed df -Pk "$@" | lines space.size
    needed df -Pi "$@" | lines space.inodes
}

images() {
    [ -n "$images_from" ] && [ "$images_from" != "$images_to" ] || return 0
    if [ -d "$images_to" ] && [ "$images_from" -ef "$images_to" ]; then
        say relocated yes
    fi
    has readlink && say images.real "$(readlink -f "$images_from")"
    # Counting takes a read of every directory: a short time only.
    if [ -d "$images_from" ] && [ -r "$images_from" ] && has timeout && has du; then
        size=$(timeout 1 du -skx "$images_from/.") && say images.size "${size%%[!0-9]*}"
    fi
}

# Tasks have a directory each below the shim's state; Docker's are in its own namespace.
containers() {
    for file in /run/containerd/io.containerd.runtime.v2.task/*/* /run/docker/containerd/daemon/io.containerd.runtime.v2.task/*/*; do
        [ -d "$file" ] && say task "$file"
    done
    PATH=$PATH:/cm/local/apps/containerd/current/bin
    has containerd && emit containerd.version "$(needed containerd --version)"
}

obstacles() {
    for file in /etc/kubernetes/*.conf /etc/kubernetes/manifests/*.yaml /etc/kubernetes/manifests/*.yml /var/lib/etcd/member \
        /var/lib/kubelet/config.yaml /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist /etc/rancher/k3s /var/lib/rancher/k3s \
        /etc/rancher/rke2 /var/lib/rancher/rke2 /var/snap/microk8s/current /etc/systemd/system/etcd.service; do
        [ -e "$file" ] && say obstacle "$file"
    done
}

programs() {
    for name in apt-get dnf yum zypper; do
        has "$name" && say package "$name"
    done
    found=
    for file in /usr/bin/python[23].[0-9] /usr/bin/python[23].[0-9][0-9] /usr/local/bin/python3.[0-9] \
        /usr/local/bin/python3.[0-9][0-9] /usr/libexec/platform-python3.[0-9]; do
        [ -x "$file" ] && found=yes && say python "${file##*python}"
    done
    [ -z "$found" ] && has python3 && emit python "$(needed python3 -V)"
}

resolve() {
    answer=$(limited 5 getent ahosts "$1" | while read -r address _; do printf '%s ' "$address"; done)
    say name "$1 $answer"
}

# Any answer counts, so the certificate is not looked at; nothing secret is sent.
fetch() {
    if has curl; then
        code=$(curl -s -k -o /dev/null -m 5 -w '%{http_code}' "$1")
    else
        code=$(limited 6 wget -S -O /dev/null --no-check-certificate -T 5 "$1" 2>&1 |
            sed -n 's/.*HTTP\/[0-9.]* \([0-9][0-9][0-9]\).*/\1/p' | tail -n 1)
    fi
    say url "${code:-0} $1"
}

network() {
    if has getent; then
        while IFS= read -r name; do
            [ -n "$name" ] && { resolve "$name" & }
        done <<END_OF_NAMES
$names
END_OF_NAMES
    fi
    has curl || has wget || return 0
    while IFS= read -r url; do
        [ -n "$url" ] && { fetch "$url" & }
    done <<END_OF_URLS
$urls
END_OF_URLS
}

# Everything that needs no network.
machine() {
    identity
    becomes_root
    files
    login_environment
    devices
    adapters
    nvidia_software
    services
    addresses
    listeners
    spaces
    images
    containers
    obstacles
    programs
}

# What has to wait runs beside the rest. Its answers are held back until the rest is told, so that no line is cut in two.
main() {
    exec 3>&1 2>/dev/null
    now start
    late=$(
        network
        driver_words
        machine >&3
        wait
    )
    printf '\n%s\n' "$late"
    now end
}

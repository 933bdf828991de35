# What a node tells of the control plane. Changes nothing, and reads no key.
# Parameter: root.
# Frames: kubelet, nvidia; etcd.here, etcd.members and etcd.health (JSON), etcd.silent (why it says nothing);
# certificate (a file), pem (a line of it), encoded (a certificate in base64).

# Runs a program that may hang: seconds, then the program.
limited() {
    has timeout || shift
    if has timeout; then timeout "$@"; else "$@"; fi
}
kubelet() {
    [ -d "$root/run/systemd/system" ] && has systemctl || return 0
    # A busy systemd may not answer in time: that is not a kubelet that is not there.
    for try in 1 2; do
        state=$(limited 10 systemctl is-active kubelet 2>/dev/null)
        [ -n "$state" ] || continue
        emit kubelet "$state"
        return 0
    done
    fail "systemd does not say whether kubelet runs"
}
# containerd tells its whole configuration, with everything that is imported; its files alone are the second choice. What they do not
# say may be imported, so where containerd does not tell in time, nothing is said.
nvidia() {
    otherwise=no
    if has containerd && config=$(limited 10 containerd config dump 2>/dev/null); then
        :
    else
        config=$(cat "$root/etc/containerd/config.toml" "$root"/etc/containerd/conf.d/*.toml 2>/dev/null) || [ -n "$config" ] || return 0
        ! has containerd || otherwise=
    fi
    case $config in
        *runtimes.nvidia* | *nvidia-container-runtime*) emit nvidia yes ;;
        *) [ -z "$otherwise" ] || emit nvidia "$otherwise" ;;
    esac
}
# Kubespray writes the settings of etcdctl into etcd's own file; under kubeadm etcd is a static pod with keys beside Kubernetes'.
etcd_settings() {
    ETCDCTL_ENDPOINTS=https://127.0.0.1:2379
    if [ -r "$root/etc/etcd.env" ]; then
        while IFS='=' read -r name value; do
            case $name in
                ETCDCTL_ENDPOINTS) ETCDCTL_ENDPOINTS=$value ;;
                ETCDCTL_CACERT) ETCDCTL_CACERT=$root$value ;;
                ETCDCTL_CERT) ETCDCTL_CERT=$root$value ;;
                ETCDCTL_KEY) ETCDCTL_KEY=$root$value ;;
            esac
        done <"$root/etc/etcd.env"
    elif [ -e "$root/etc/kubernetes/manifests/etcd.yaml" ]; then
        for keys in "$root/etc/kubernetes/pki/etcd" "$root/etc/kubernetes/ssl/etcd"; do
            [ -r "$keys/server.key" ] || continue
            ETCDCTL_CACERT=$keys/ca.crt ETCDCTL_CERT=$keys/server.crt ETCDCTL_KEY=$keys/server.key
        done
    else
        return 1
    fi
    export ETCDCTL_ENDPOINTS ETCDCTL_CACERT ETCDCTL_CERT ETCDCTL_KEY
}
# asked FRAME PROGRAM...: what it prints becomes the frame. An answer counts whatever the status: etcdctl ends with 1 when one
# member of several is not healthy. Without an answer the last words of its complaint are told.
asked() {
    asked_frame=$1
    shift
    answer=$(limited 20 "$@" 2>"$complaints")
    if [ -n "$answer" ]; then
        emit "$asked_frame" "$answer"
    else
        emit etcd.silent "$(tail -n 1 "$complaints" | cut -c 1-300)"
    fi
}
by_etcdctl() {
    ETCDCTL_API=3
    export ETCDCTL_API
    asked etcd.members etcdctl --command-timeout=8s member list -w json
    asked etcd.health etcdctl --command-timeout=8s endpoint health --cluster -w json
}
# etcd's own gateway speaks JSON. The first end point is the node's own.
by_curl() {
    set -- curl -sS -m 10 --cacert "$ETCDCTL_CACERT" --cert "$ETCDCTL_CERT" --key "$ETCDCTL_KEY"
    asked etcd.members "$@" -X POST -d '{}' "${ETCDCTL_ENDPOINTS%%,*}/v3/cluster/member/list"
    asked etcd.health "$@" "${ETCDCTL_ENDPOINTS%%,*}/health"
}
etcd() {
    etcd_settings || return 0
    emit etcd.here yes
    complaints=$(mktemp) || {
        emit etcd.silent "there is no room for a temporary file"
        return 0
    }
    if has etcdctl; then
        by_etcdctl
    elif has curl; then
        by_curl
    else
        emit etcd.silent "it could not be asked: neither etcdctl nor curl is installed"
    fi
    rm -f "$complaints"
}
# Only certificates leave the node: a file may hold the key as well.
certificate() {
    [ -r "$1" ] || return 0
    emit certificate "${1#"$root"}"
    sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' "$1" | emit_lines pem
}
encoded() {
    [ -r "$1" ] || return 0
    data=$(sed -n 's/^[[:space:]]*client-certificate-data:[[:space:]]*//p' "$1" | head -n 1)
    [ -n "$data" ] || return 0
    emit certificate "${1#"$root"}"
    emit encoded "$data"
}
# ssl and pki are one folder where Kubespray links them.
certificates() {
    for folder in "$root/etc/kubernetes/ssl" "$root/etc/kubernetes/pki"; do
        [ -d "$folder" ] || continue
        [ "$folder" = "$root/etc/kubernetes/pki" ] && [ "$folder" -ef "$root/etc/kubernetes/ssl" ] && continue
        for file in "$folder"/*.crt "$folder"/etcd/*.crt; do certificate "$file"; done
    done
    for file in "$root"/etc/ssl/etcd/ssl/*.pem; do
        case $file in *-key.pem) ;; *) certificate "$file" ;; esac
    done
    for file in "$root"/etc/kubernetes/*.conf; do encoded "$file"; done
    certificate "$root/var/lib/kubelet/pki/kubelet-client-current.pem"
}
main() {
    kubelet
    nvidia
    etcd
    certificates
    emit looked yes
    return 0
}

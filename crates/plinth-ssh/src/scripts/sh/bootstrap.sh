# Looks whether kubeadm began a cluster on this node, and how far it came. Changes nothing. Parameter: root.
# Frames: born (seconds since the cluster's authority was made), whole (kubeadm came to its end), ready (a node is, or may have
# been: an API server that is silent or just starting does not tell; a network of pods comes after kubeadm), looked.
conf=$root/etc/kubernetes/admin.conf
asked() {
    set -- kubectl --kubeconfig "$conf" --request-timeout=8s "$@"
    if has timeout; then timeout 10 "$@" 2>/dev/null; else "$@" 2>/dev/null; fi
}
# The API server may just be starting, or busy.
patiently() {
    for try in 1 2 3 4 5 6; do
        asked "$@" && return 0
        [ "$try" = 6 ] || sleep 5
    done
    return 1
}
# One that answers says both: what it does not say is not taken for no.
ask_cluster() {
    states=$(patiently get nodes -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}') || return 0
    case $states in *True*) emit ready yes ;; esac
    # kubeadm writes it when all else is done, for those who join.
    info=$(patiently -n kube-public get configmap cluster-info --ignore-not-found -o name) ||
        fail "the API server answers, and does not say whether kubeadm came to its end"
    [ -z "$info" ] || emit whole yes
}
main() {
    born=
    for key in "$root/etc/kubernetes/ssl/ca.key" "$root/etc/kubernetes/pki/ca.key"; do
        [ ! -e "$key" ] || born=$(stat -c %Y "$key")
    done
    if [ -n "$born" ] && [ -e "$root/var/lib/kubelet/config.yaml" ]; then
        emit born "$(($(date +%s) - born))"
        for network in "$root"/etc/cni/net.d/*.conf*; do
            [ ! -e "$network" ] || emit ready "${network##*/}"
        done
        if has kubectl && [ -e "$conf" ] && [ -e "$root/etc/kubernetes/manifests/kube-apiserver.yaml" ]; then
            ask_cluster
        fi
    fi
    emit looked yes
    return 0
}

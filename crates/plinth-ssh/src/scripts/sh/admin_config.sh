# The administrator's kubeconfig. Parameter: root. Frames: line.
main() {
    file=$root/etc/kubernetes/admin.conf
    [ -e "$file" ] || fail "/etc/kubernetes/admin.conf is not there: Kubernetes was not deployed with this node in its control plane"
    [ -r "$file" ] || fail "/etc/kubernetes/admin.conf cannot be read"
    emit_lines line <"$file"
}

# Prints what is left of Kubernetes on a node.
for path in /etc/kubernetes /etc/cni/net.d /opt/cni/bin /etc/containerd /etc/ssl/etcd /usr/local/bin/kubelet /usr/local/bin/kubeadm \
    /usr/local/bin/kubectl /usr/local/bin/containerd /usr/local/bin/runc /usr/local/bin/etcd /etc/systemd/system/kubelet.service \
    /etc/systemd/system/containerd.service /etc/systemd/system/etcd.service; do
    if [ -d "$path" ]; then ls -A "$path" | sed "s,^,$path/,"; elif [ -e "$path" ]; then echo "$path"; fi
done
for path in /var/lib/kubelet /var/lib/etcd /var/lib/containerd; do ls -A "$path" 2> /dev/null | sed "s,^,$path/,"; done
ps -eo comm= | grep -E '^(kube|etcd|containerd)' || true
grep -o ' /var/lib/kubelet/[^ ]*' /proc/mounts || true
ip -o link show cni0 2> /dev/null || true
iptables-save 2> /dev/null | grep -m 3 -e '-A .*KUBE-' || true

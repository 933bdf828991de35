# One bare node becomes a whole cluster by kubeadm, from the lab's mirror.
# Arguments: mirror, address, range of pods, releases of Kubernetes and etcd; and what joins it to a cluster that is there.
url=$1 address=$2 pods=$3 release=v$4 etcd=$5 join=${6:-}
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
curl -fsS -o /tmp/sums "$url/sha256sums"
fetch() {
    path=$(cut -d ' ' -f 3 /tmp/sums | grep -m 1 -- "$1")
    curl -fsS -o "$2" "$url/$path"
}
mkdir -p /opt/cni/bin /etc/containerd
fetch '/containerd-[0-9]' /tmp/containerd.tgz
tar -xzf /tmp/containerd.tgz -C /usr/local
fetch /cni-plugins- /tmp/cni.tgz
tar -xzf /tmp/cni.tgz -C /opt/cni/bin
fetch /crictl-v /tmp/crictl.tgz
tar -xzf /tmp/crictl.tgz -C /usr/local/bin
fetch /nerdctl- /tmp/nerdctl.tgz
tar -xzf /tmp/nerdctl.tgz -C /usr/local/bin
for program in kubelet kubeadm kubectl; do fetch "/$program\$" "/usr/local/bin/$program"; done
fetch '/runc[.]' /usr/local/bin/runc
chmod 0755 /usr/local/bin/*
cat >/etc/containerd/config.toml <<END
version = 3
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "registry.k8s.io/pause:3.10.1"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "/etc/containerd/certs.d"
END
# What kubelet wants for a pod comes from the mirror, whatever registry it is of.
mkdir -p /etc/containerd/certs.d/_default
cat >/etc/containerd/certs.d/_default/hosts.toml <<END
[host."$url"]
  capabilities = ["pull", "resolve"]
END
cat >/etc/crictl.yaml <<END
runtime-endpoint: unix:///run/containerd/containerd.sock
END
cat >/etc/systemd/system/containerd.service <<END
[Service]
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
[Install]
WantedBy=multi-user.target
END
cat >/etc/systemd/system/kubelet.service <<END
[Unit]
ConditionPathExists=/var/lib/kubelet/config.yaml
[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
Environment=PATH=$PATH
ExecStart=/usr/local/bin/kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf \\
    --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --node-ip=$address \$KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=2
KillMode=process
[Install]
WantedBy=multi-user.target
END
cat >/root/kubeadm.yaml <<END
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: "$address"}
nodeRegistration: {name: "$(hostname)", criSocket: "unix:///run/containerd/containerd.sock"}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $release
networking: {podSubnet: "$pods", serviceSubnet: 10.96.0.0/16}
etcd: {local: {imageTag: "$etcd-0"}}
dns: {imageTag: v1.12.1}
# Nobody else would lead, and on a busy machine they would lose their lease and end.
controllerManager: {extraArgs: [{name: leader-elect, value: "false"}]}
scheduler: {extraArgs: [{name: leader-elect, value: "false"}]}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
# So soon pods see a changed map.
syncFrequency: 10s
failSwapOn: false
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%, imagefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
conntrack: {maxPerCore: 0, min: 0}
END
sysctl -qw net.ipv4.ip_forward=1
systemctl daemon-reload
systemctl enable --now --quiet containerd
systemctl enable --quiet kubelet
for image in "registry.k8s.io/kube-proxy:$release" registry.k8s.io/pause:3.10.1 registry.k8s.io/coredns/coredns:v1.12.1 \
    "registry.k8s.io/etcd:$etcd-0"; do
    nerdctl -n k8s.io pull "$image"
done
if [ -n "$join" ]; then
    eval "$join"
else
    kubeadm init --config /root/kubeadm.yaml --skip-token-print
fi

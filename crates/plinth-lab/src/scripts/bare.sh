# For a root without containers (chroot, sh -eu): what installs Kubernetes brings containerd and its configuration.
rm -r /etc/containerd
# Installers refresh the package lists unless that was done within the hour; nothing answers here.
mkdir -p /var/lib/apt/periodic
printf 'touch /var/lib/apt/periodic/update-success-stamp\n' >> /usr/local/sbin/lab-node-ready
mkdir -p /etc/cni/net.d /opt/cni/bin

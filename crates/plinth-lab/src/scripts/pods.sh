# Runs once in a node (sh -eu): from then on systemd watches for the plugins of a pod network, and configures it.
cat > /usr/local/sbin/lab-pods <<'PODS'
#!/bin/sh
# The plugins come one after the other; the last one that is needed may be the last to come.
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if [ -x /opt/cni/bin/bridge ] && [ -x /opt/cni/bin/host-local ] && [ -x /opt/cni/bin/portmap ]; then
        exec install -D -m 0644 /usr/lib/lab/pods.conflist /etc/cni/net.d/00-lab.conflist
    fi
    sleep 0.5
done
PODS
chmod 0755 /usr/local/sbin/lab-pods
cat > /etc/systemd/system/lab-pods.path <<'UNIT'
[Path]
PathChanged=/opt/cni/bin
TriggerLimitIntervalSec=0
[Install]
WantedBy=multi-user.target
UNIT
cat > /etc/systemd/system/lab-pods.service <<'UNIT'
[Unit]
StartLimitIntervalSec=0
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/lab-pods
UNIT
systemctl daemon-reload
systemctl enable --quiet --now lab-pods.path

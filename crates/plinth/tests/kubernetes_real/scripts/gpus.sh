# What feature discovery, device plugin and exporter need before the policy can be ready.
kubectl label --overwrite node WORKER nvidia.com/gpu.present=true nvidia.com/gpu.count=2 nvidia.com/gpu.product=STAND-IN
for part in nvidia-device-plugin-daemonset nvidia-dcgm-exporter; do
    kubectl rollout status -n {{ .Release.Namespace }} daemonset "$part" --timeout=300s
done

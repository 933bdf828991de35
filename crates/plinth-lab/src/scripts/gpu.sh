printf 'DGX_NAME="DGX Server"\nDGX_PRETTY_NAME="NVIDIA DGX Server"\nDGX_SWBUILD_VERSION="6.2.1"\nDGX_PLATFORM="DGX Server for KVM"\n' > /etc/dgx-release
cat > /usr/bin/nvidia-smi <<SMI
#!/bin/sh
# Tells of $GPUS GPUs that are not there.
count=$GPUS
SMI
cat >> /usr/bin/nvidia-smi <<'SMI'
value() {
    case "$1" in
    index) echo "$2" ;;
    count) echo "$count" ;;
    name | gpu_name) echo "NVIDIA H100 80GB HBM3" ;;
    uuid | gpu_uuid) printf 'GPU-00000000-0000-4000-8000-%012d\n' "$2" ;;
    driver_version) echo 550.90.07 ;;
    memory.total) echo "81559$unit" ;;
    pci.bus_id | gpu_bus_id) printf '00000000:%02X:00.0\n' $((16 + $2)) ;;
    mig.mode.current | mig.mode.pending) echo Disabled ;;
    *) echo '[N/A]' ;;
    esac
}
fields= format= unit=' MiB'
for word in "$@"; do
    case "$word" in
    --query-gpu=*) fields=${word#*=} ;;
    --format=*) format=${word#*=} ;;
    -L | --list-gpus) list=yes ;;
    esac
done
case "$format" in *nounits*) unit= ;; esac
n=0
if [ -n "$fields" ]; then
    case "$format" in *noheader*) ;; *) echo "$fields" | sed 's/,/, /g' ;; esac
    while [ "$n" -lt "$count" ]; do
        line=
        for field in $(echo "$fields" | tr ',' ' '); do line="$line${line:+, }$(value "$field" "$n")"; done
        echo "$line"
        n=$((n + 1))
    done
elif [ "${list:-}" = yes ]; then
    while [ "$n" -lt "$count" ]; do
        echo "GPU $n: $(value name "$n") (UUID: $(value uuid "$n"))"
        n=$((n + 1))
    done
else
    echo "NVIDIA-SMI 550.90.07    Driver Version: 550.90.07    CUDA Version: 12.4"
fi
SMI
chmod 0755 /usr/bin/nvidia-smi
stand_before lspci <<LSPCI
#!/bin/sh
# Tells of $GPUS GPUs that are not there, and of nothing else.
n=0
while [ "\$n" -lt $GPUS ]; do
    slot=\$(printf '%02x:00.0' \$((16 + n)))
    case " \$* " in
    *" -nn"* | *" -Dnn"*) echo "\$slot 3D controller [0302]: NVIDIA Corporation GH100 [H100 SXM5 80GB] [10de:2330] (rev a1)" ;;
    *" -n "* | *" -Dn "*) echo "\$slot 0302: 10de:2330 (rev a1)" ;;
    *) echo "\$slot 3D controller: NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev a1)" ;;
    esac
    n=\$((n + 1))
done
LSPCI

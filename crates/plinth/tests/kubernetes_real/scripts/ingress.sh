# Keeps the certificate for requests without a matching name where the proxy beside finds it.
while :; do
    kubectl get secrets -n {{ .Values.controller.defaultTLSSecret.secretNamespace }} -w \
        --field-selector metadata.name={{ .Values.controller.defaultTLSSecret.secret }} \
        -o jsonpath='{.data.tls\.crt} {.data.tls\.key}{"\n"}' | while read -r certificate key; do
        [ "$key" ] || continue
        echo "$certificate" | base64 -d > /tls/new.crt && echo "$key" | base64 -d > /tls/new.key
        mv /tls/new.crt /tls/tls.crt
        mv /tls/new.key /tls/tls.key
    done
    sleep 1
done

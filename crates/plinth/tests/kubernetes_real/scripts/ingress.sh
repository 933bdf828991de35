# Keeps the certificate for requests without a matching name where the proxy beside finds it.
secret='{.data.tls\.crt} {.data.tls\.key}'
while :; do
    if kubectl get secret {{ .Values.controller.defaultTLSSecret.secret }} -n {{ .Values.controller.defaultTLSSecret.secretNamespace }} \
        -o jsonpath="$secret" > /tmp/pair; then
        read -r certificate key < /tmp/pair || true
        echo "$certificate" | base64 -d > /tls/new.crt && echo "$key" | base64 -d > /tls/new.key
        mv /tls/new.crt /tls/tls.crt
        mv /tls/new.key /tls/tls.key
        sleep 10
    fi
    sleep 1
done

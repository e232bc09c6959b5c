#!/bin/sh
# Fills in nginx.conf and starts nginx. TLS is on as soon as a certificate is there; without one the stack is only
# published on loopback, unless the operator says in so many words that keys may cross the network readable.
set -eu

certificate=/etc/atoll/tls/edge.crt
key=/etc/atoll/tls/edge.key
bind=${ATOLL_EDGE__BIND:-127.0.0.1}

if [ -s "$certificate" ] && [ -s "$key" ]; then
    listen="listen 8080 ssl; ssl_certificate $certificate; ssl_certificate_key $key;"
    listen="$listen ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off; ssl_session_cache shared:tls:5m;"
    listen="$listen add_header Strict-Transport-Security max-age=31536000 always;"
else
    listen="listen 8080;"
    case $bind in
        127.* | ::1 | "[::1]" | localhost) ;;
        *)
            case ${ATOLL_EDGE__ACCEPT_PLAINTEXT:-} in
                1 | true | True) ;;
                *)
                    echo "edge: ATOLL_EDGE__BIND=$bind is not loopback and there is no certificate; run" \
                        "'atoll init --compose --tls NAME', or set ATOLL_EDGE__ACCEPT_PLAINTEXT=1" >&2
                    exit 1
                    ;;
            esac
            ;;
    esac
fi

cap=${ATOLL_GATEWAY__MAX_UPLOAD_MIB:-256}
rate=${ATOLL_EDGE__REQUESTS_PER_SECOND:-50}
sed -e "s|@LISTEN@|$listen|" -e "s|@CAP_MIB@|$cap|g" -e "s|@BODY_MIB@|$((cap + 8))|" \
    -e "s|@RATE@|$rate|" -e "s|@BURST@|$((rate * 4))|" /etc/atoll/nginx.conf >/tmp/nginx.conf
exec nginx -c /tmp/nginx.conf -g 'daemon off;'

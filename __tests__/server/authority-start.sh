# Runs inside a booted authority (see authority.sh) with DIRECTORY_NAME, ADDRESS and PEBBLE (its configuration) set:
# makes the CA that its API's certificate hangs on, and starts everything. Prints that CA's certificate.
# shellcheck shell=sh
set -eu
cd /etc/authority
: "${DIRECTORY_NAME:?}" "${ADDRESS:?}" "${PEBBLE:?}"
printf '%s\n' "$PEBBLE" > pebble.json
: > names
cp /etc/resolv.conf upstream
echo 'nameserver 127.0.0.1' > /etc/resolv.conf

# What all this has to say is of interest only where it fails.
exec 3>&1 4>&2 > start.log 2>&1
trap '[ $? = 0 ] || cat start.log >&4' EXIT
new_key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}
new_key ca.key
# Python since 3.13 takes no CA that does not say keyCertSign.
openssl req -x509 -new -key ca.key -subj '/CN=CA of the test authority API' -days 30 -out ca.pem \
  -addext 'basicConstraints=critical,CA:true' -addext 'keyUsage=critical,keyCertSign,cRLSign'
new_key api.key
openssl req -new -key api.key -subj "/CN=$DIRECTORY_NAME" -out api.csr
printf '%s\n' "subjectAltName=DNS:$DIRECTORY_NAME,DNS:localhost,IP:127.0.0.1,IP:$ADDRESS" \
  extendedKeyUsage=serverAuth subjectKeyIdentifier=hash authorityKeyIdentifier=keyid > api.ext
openssl x509 -req -in api.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile api.ext -out api.pem
systemctl start challtestsrv dnsmasq pebble nginx
cat ca.pem >&3

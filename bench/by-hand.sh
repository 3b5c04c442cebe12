# The same job as a first deploy, written by hand for one server: what it is measured against. Run by root on a bare
# server; the project is in /srv/hello, NAME is the name that visitors ask for.
# shellcheck shell=sh
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y --no-install-recommends install nginx python3 python3-venv >/dev/null
useradd --system --home-dir /srv/hello --shell /usr/sbin/nologin hello
python3 -m venv /srv/hello/venv
/srv/hello/venv/bin/pip install --quiet --disable-pip-version-check -r /srv/hello/requirements.txt gunicorn
cat >/etc/systemd/system/hello.service <<UNIT
[Unit]
After=network.target

[Service]
User=hello
Group=www-data
WorkingDirectory=/srv/hello
RuntimeDirectory=hello
ExecStart=/srv/hello/venv/bin/gunicorn --workers 3 --bind unix:/run/hello/hello.sock app:app
Restart=always

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl --quiet enable --now hello
cat >/etc/nginx/sites-available/hello <<SITE
server {
    listen 80;
    server_name $NAME;
    location / {
        proxy_pass http://unix:/run/hello/hello.sock;
        proxy_set_header Host \$host;
        proxy_set_header X-Forwarded-For \$remote_addr;
        proxy_set_header X-Forwarded-Proto \$scheme;
    }
}
SITE
ln -sf ../sites-available/hello /etc/nginx/sites-enabled/hello
nginx -t -q
systemctl reload-or-restart nginx

#!/usr/bin/env bash
# Makes the certificates of three members and of one client into ./certs, on one machine that you trust. Leave certs/ca.key there:
# whoever has it can be any member. Each machine gets ca.crt, and its own two files as member.crt and member.key, in /etc/quorumlog.
set -euo pipefail

quorumlog cert ca
for id in 1 2 3; do
  quorumlog cert member --id "$id"
done
quorumlog cert client --name billing
quorumlog cert client --name audit --read-only

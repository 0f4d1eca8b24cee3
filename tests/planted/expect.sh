#!/bin/sh
# expect.sh REPORT PROGRAM: the program's fault must be reported, and end it with a failure.
report=$("$2" 2>&1) && { echo "$2 ended well"; exit 1; }
echo "$report" | grep -q "$1" || { echo "$report"; exit 1; }

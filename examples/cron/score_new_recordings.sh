#!/bin/sh
# Score the recordings that came since the last time, and make the page of all of them anew. As a line of cron:
#
#   0 4 * * * /srv/plant/score_new_recordings.sh /srv/plant
#
# The folder holds site.onnx (osscl enroll wrote it) and incoming/, into which recordings come. Beside them appear
# scores.jsonl (the table), report.html (the page), score.log (all that osscl says) and told.jsonl (what needed
# attention the last time). What stands behind the folder goes to osscl score, such as
# --machine-pattern '{machine}_{time}.wav' (with \% for each % in a line of cron).
#
# osscl is looked for in /opt/osscl/bin first. From a clone of osscl, this puts it there:
#
#   python3 -m venv /opt/osscl && /opt/osscl/bin/pip install '.[cpu,report]'
#
# It prints nothing while all is well, so that a mail from cron means something: a recording that is newly flagged,
# some that could not be scored (a line for each reason), that none came since the last run (a recorder that died, a
# disk that is not mounted), or the sentence that says why the run failed.
# After another model or other options run it once by hand with --overwrite behind them: all is scored and told anew.
# Exit code: 0 all is well or recordings are flagged, 3 recordings came that could not be scored; else the run failed.
# A recorder that writes a file slowly should write it under another name and rename it at the end.
set -eu

PATH=/opt/osscl/bin:$PATH
cd "${1:?name the folder that holds site.onnx and incoming}"
shift

if ! command -v osscl > /dev/null; then
  echo "osscl is not found, neither in /opt/osscl/bin nor on the PATH; make it there, from a clone of osscl:" \
    "python3 -m venv /opt/osscl && /opt/osscl/bin/pip install '.[cpu,report]'" >&2
  exit 127
fi

exec 9>> .score.lock
if ! flock -n 9; then
  echo "the run before is still at work; nothing was begun, and the next one goes on" >&2
  exit 1
fi

before=$(cksum scores.jsonl 2> /dev/null) || before=""
for option in "$@"; do
  if [ "$option" = --overwrite ]; then
    before=""
    : > told.jsonl
  fi
done

# Scores what is new, whatever ended the run before. The table appears whole. 3: some files could not be scored.
code=0
osscl score site.onnx incoming --output scores.jsonl --explain --quiet --log-file score.log "$@" || code=$?
case $code in
  0 | 3 | 4) ;; # 4: some are flagged, of --fail-on-anomaly
  *) exit "$code" ;; # osscl has said why
esac
if [ "$(cksum scores.jsonl)" = "$before" ]; then
  echo "no recording came into $PWD/incoming since the last run"
fi

# The page appears whole too: whoever has it open sees the old one or the new one. Of a table in which nothing has a
# score none is made: the one that is there is worth more.
see="no recording has a score, and no page is made"
if grep -qv ',"score":null,' scores.jsonl; then
  see="see $PWD/report.html"
  osscl report scores.jsonl --output report.html --overwrite --quiet --log-file score.log
fi

# Within JSON a quotation mark of a name is \", so that no name of a file can look like these fields.
grep -E ',"is_anomaly":true,|,"score":null,' scores.jsonl > attention.new || [ $? -eq 1 ]
touch told.jsonl
grep -Fxv -f told.jsonl attention.new > untold.new || [ $? -eq 1 ]
code=0
if [ -s untold.new ]; then
  echo "needs attention, $see:"
  # recordings without a score: each reason once, with the first of them
  sed -n 's/^{"path":"\(.*\)","machine":.*,"reason":"\(.*\)","score":null,.*/\1	\2/p' untold.new | awk -F '\t' '
    !($2 in n) { reason[++reasons] = $2; first[$2] = $1 }
    { n[$2]++ }
    END {
      most = 20 # reasons may hold the name of the file
      for (i = 1; i <= reasons && i <= most; i++) {
        r = reason[i]
        print first[r] (n[r] > 1 ? " and " n[r] - 1 " more" : "") ": " r
      }
      if (reasons > most) print "and " reasons - most " more such lines, see scores.jsonl"
    }'
  sed -n -e 's/^{"path":"\(.*\)","machine":.*,"status":"ok",.*,"explanation":"\(.*\)","scope":.*/\1: flagged: \2/p;t' \
    -e 's/^{"path":"\(.*\)","machine":.*,"status":"silent","reason":"\(.*\)","score":.*,"is_anomaly":true,.*/\1: flagged: \2/p;t' \
    -e 's/^{"path":"\(.*\)","machine":.*,"is_anomaly":true,.*/\1: flagged/p' untold.new
  if grep -q ',"score":null,' untold.new; then
    code=3
  fi
fi
mv -f attention.new told.jsonl # behind the message: what was not told is told again
rm -f untold.new
exit "$code"

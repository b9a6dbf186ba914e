#!/bin/sh
# Score the recordings that came since the last time, and make the page of all of them anew. As a line of cron:
#
#   0 4 * * * /srv/plant/score_new_recordings.sh /srv/plant
#
# The folder holds site.onnx (osscl enroll wrote it) and incoming/, into which recordings come. Beside them appear
# scores.jsonl (the table), report.html (the page), score.log (all that osscl says) and told.jsonl (what needed
# attention the last time).
#
# It prints nothing while all is well, so that a mail from cron means something: a recording that is newly flagged,
# one that could not be scored, or the sentence that says why the run failed. Then the exit code is not 0 either.
# A recorder that writes a file slowly should write it under another name and rename it at the end.
set -eu

PATH=/opt/osscl/bin:$PATH
cd "${1:?name the folder that holds site.onnx and incoming}"

exec 9>> .score.lock
if ! flock -n 9; then
  echo "the run before is still at work; nothing was begun, and the next one goes on" >&2
  exit 1
fi

# Scores what is new, whatever ended the run before. The table appears whole. 3: some files could not be scored.
code=0
osscl score site.onnx incoming --output scores.jsonl --explain --quiet --log-file score.log || code=$?
case $code in
  0 | 3) ;;
  *) exit "$code" ;; # osscl has said why
esac

# The page appears whole too: whoever has it open sees the old one or the new one.
osscl report scores.jsonl --output report.html --overwrite --quiet --log-file score.log

# Within JSON a quotation mark of a name is \", so that no name of a file can look like these fields.
grep -E ',"is_anomaly":true,|,"score":null,' scores.jsonl > attention.new || [ $? -eq 1 ]
touch told.jsonl
grep -Fxv -f told.jsonl attention.new > untold.new || [ $? -eq 1 ]
if [ -s untold.new ]; then
  echo "needs attention, see $PWD/report.html:"
  sed -e 's/^{"path":"\(.*\)","machine":.*,"status":"ok",.*,"explanation":"\(.*\)","scope":.*/\1: flagged: \2/' \
    -e 's/^{"path":"\(.*\)","machine":.*,"status":"ok",.*/\1: flagged/' \
    -e 's/^{"path":"\(.*\)","machine":.*,"reason":"\(.*\)","score":null,.*/\1: \2/' untold.new
fi
mv -f attention.new told.jsonl # behind the message: what was not told is told again
rm -f untold.new

#!/bin/sh
# Prolong a ballot: record who and why, then deploy functions, site and calendar of the same file.
#
#     make prolong ELECTION=elections/dijon-2018.yaml STACK=reassort CONFIG_ENV=production REASON='bureau, outage'
#
# Each step may be repeated, so what was interrupted is resumed by the same command.
set -eu

: "${ELECTION:?the election file with the later closes}" "${STACK:?the stack}"
: "${CONFIG_ENV:?the profile of samconfig.toml}" "${REASON:?why, for the register}"

output() {
  aws cloudformation describe-stacks --stack-name "$STACK" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

reassort election prolong "$ELECTION" --stack "$STACK" --reason "$REASON"

sam build --parallel
sam deploy --config-env "$CONFIG_ENV" --no-fail-on-empty-changeset

python site/build.py "$ELECTION" .build/site
bucket=$(output SiteBucketName)
aws s3 sync .build/site/assets "s3://$bucket/assets" --cache-control 'public, max-age=31536000, immutable'
aws s3 sync .build/site "s3://$bucket" --exclude 'assets/*' --exclude 404.html --exclude vote.ics --delete \
  --cache-control no-cache
aws s3 cp .build/site/404.html "s3://$bucket/404.html" --cache-control no-store
aws s3 cp .build/site/vote.ics "s3://$bucket/vote.ics" --content-type 'text/calendar; charset=utf-8' \
  --cache-control no-cache

python site/build_helpdesk.py "$ELECTION" .build/helpdesk
reassort helpdesk config .build/helpdesk --stack "$STACK"
bucket=$(output HelpdeskBucketName)
aws s3 sync .build/helpdesk/assets "s3://$bucket/helpdesk/assets" \
  --cache-control 'public, max-age=31536000, immutable'
aws s3 sync .build/helpdesk "s3://$bucket/helpdesk" --exclude 'assets/*' --cache-control no-cache

# Ends with status 1 unless what is deployed is what was recorded.
reassort election status --stack "$STACK"

/** What `site/build_helpdesk.py` writes into the page. */
export const election: { timezone: string };

/** What `site/build_bureau.py` writes into the page: the rules of `reassort register verify`. */
export const rules: {
  format: string;
  algorithm: string;
  genesis: string;
  electionChain: string;
  voterActor: string;
  disputeActor: string;
  fingerprintBytes: number;
  fingerprintsALine: number;
  longestLine: number;
  changes: string[];
  issues: string[];
  commitments: string[];
  proofs: string[];
  ofElection: string[];
  namesProofs: string[];
  commits: Record<string, string[]>;
  notAfterVote: string[];
  whileRemoved: string[];
  afterDeparture: string[];
  agreeingLines: number;
};

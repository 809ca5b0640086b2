/** The part of aws4fetch that the page uses (vendor/aws4fetch.js). */
export class AwsV4Signer {
  constructor(request: {
    method: string;
    url: string;
    headers: Record<string, string>;
    body?: string;
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken: string;
    service: string;
    region: string;
  });
  sign(): Promise<{ method: string; url: URL; headers: Headers; body?: BodyInit | null }>;
}

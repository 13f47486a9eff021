export function proposerName(number: number): string {
  return `proposer-${number}`;
}

export function acceptorName(number: number): string {
  return `acceptor-${number}:6379`;
}

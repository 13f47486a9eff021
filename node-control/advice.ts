import type { Danger, Plan } from './guard.js';
export function adviceFor(_plans: readonly Plan[], _dangers: readonly Danger[]): string {
  return '';
}

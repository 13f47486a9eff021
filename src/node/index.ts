/** What needs Node.js: a proposer's state on disk. */
export { stateFolder, UnusableState } from './state-folder.js';

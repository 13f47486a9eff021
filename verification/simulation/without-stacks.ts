/** Runs a task in which errors are answers: nobody reads their stacks, and each takes time to write down. */
export async function withoutStacks<Result>(task: () => Promise<Result>): Promise<Result> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await task();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export async function other(): Promise<void> {}

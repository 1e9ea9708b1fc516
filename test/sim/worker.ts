/** Plays the seeds that it is sent, one after the other, and tells what became of each: for run.ts. */
import { type SimulateOptions, simulate } from './world/simulate.ts'

process.on('message', options => void simulate(options as SimulateOptions).then(report => process.send?.(report)))

/** Numbers in 16 bits (IEEE 754, binary16). */

const single = new DataView(new ArrayBuffer(4))

/** The bits of a 16-bit float that is exactly this number; undefined when there is none. */
export function halfOf(value: number): number | undefined {
  if (Number.isNaN(value)) return 0x7e00
  if (value === Infinity) return 0x7c00
  if (value === -Infinity) return 0xfc00
  if (Math.fround(value) !== value) return undefined
  single.setFloat32(0, value)
  const bits = single.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 0xff) - 127
  const fraction = bits & 0x7fffff
  if (exponent >= -14 && exponent <= 15) return (fraction & 0x1fff) === 0 ? sign | ((exponent + 15) << 10) | (fraction >>> 13) : undefined
  if (exponent < -14 && exponent >= -24) {
    // Below the smallest of full precision only powers of two: so does `cborg`, and bytes are to be the same everywhere.
    return fraction === 0 ? sign | (1 << (24 + exponent)) : undefined
  }
  return undefined
}

/** The number with these 16 bits. */
export function fromHalf(half: number): number {
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  const value =
    exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction === 0 ? Infinity : NaN) : (fraction + 1024) * 2 ** (exponent - 25)
  return half & 0x8000 ? -value : value
}

module.exports = {
  extension: ['ts'],
  require: ['tsx', './src/polyfill.ts'],
  reporter: './test/reporter.cjs',
  timeout: 10000,
  forbidOnly: process.env.CI === 'true',
  failZero: true
}

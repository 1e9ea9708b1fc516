module.exports = {
  extension: ['ts'],
  require: ['tsx', './src/polyfill.ts'],
  reporter: './test/reporter.cjs',
  timeout: 2000,
  forbidOnly: process.env.CI === 'true',
  failZero: true
}

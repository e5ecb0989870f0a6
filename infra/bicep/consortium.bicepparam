// One validator of four. Every operator deploys this with a name of its own and the same validators.
using './main.bicep'

param name = 'svmcons'
param openRpc = false
param documentMode = 'autoscale'
param zoneRedundant = true
param warmIngestInstances = 1
param maximumInstances = 100
param prover = 'container'
param proverImage = 'registry.example.org/supervm-prover:1.0.0'
param proverRegistry = 'registry.example.org'
param proverGpu = 'Consumption-GPU-NC8as-T4'
param validators = [
  { address: '0x0000000000000000000000000000000000000001', power: 1, url: 'https://one.example.org/' }
  { address: '0x0000000000000000000000000000000000000002', power: 1, url: 'https://two.example.org/' }
  { address: '0x0000000000000000000000000000000000000003', power: 1, url: 'https://three.example.org/' }
  { address: '0x0000000000000000000000000000000000000004', power: 1, url: 'https://four.example.org/' }
]
param rates = {
  sender: 50
  address: 200
  global: 2000
  duplicates: 5
}
param logRetentionDays = 90
param logDailyCapGb = 10
param logTransactions = false
param operatorEmails = [
  'operators@example.org'
]
param monthlyBudget = 4000
// The month of the first deployment; it stays as it is.
param budgetStart = '2026-11-01'

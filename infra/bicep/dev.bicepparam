// A chain of one validator that costs next to nothing while nobody uses it.
using './main.bicep'

param name = 'svmdev'
param openRpc = true
param documentMode = 'serverless'
param prover = 'none'
param maximumInstances = 40
param rates = {
  sender: 20
  address: 100
  global: 500
  duplicates: 5
}
param feeFloorWei = '0'
param operatorEmails = [
  'operators@example.org'
]
param monthlyBudget = 50
// The month of the first deployment; it stays as it is.
param budgetStart = '2026-11-01'

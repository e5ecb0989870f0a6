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
}
param feeFloorWei = '0'
param operatorEmails = [
  'operators@example.org'
]
param monthlyBudget = 50

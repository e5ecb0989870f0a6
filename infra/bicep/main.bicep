// One validator of a SuperVM chain, or a whole chain of one: every resource, and who may touch it.
//
//   az deployment group create --resource-group GROUP --parameters dev.bicepparam
//
// Queues, tables, containers and settings are those of src/Azure/CloudNames.cs; tests/Infra.Tests compares the two.
// No secret is in here: storage, database and telemetry are opened by identity, the validator's key lies in the vault.
targetScope = 'resourceGroup'

@description('What every name begins with: 3 to 12 lower-case letters and digits.')
@minLength(3)
@maxLength(12)
param name string

@description('Where everything is.')
param location string = resourceGroup().location

@description('Written on every resource.')
param tags object = {
  product: 'supervm'
}

@description('The chain\'s validators as { address, power, url }, equal in every deployment of a chain. Empty: this one alone.')
param validators array = []

@description('The genesis file\'s name in the container config.')
param genesis string = 'genesis.json'

@description('Whether anybody may call JSON-RPC. Otherwise a call shows the key rpc-key.')
param openRpc bool = false

@description('What one instance of the ingest app takes a second: transactions of one sender, requests from one network address and from all, transactions of one sender alike in recipient, value and data; 0 for no limit. Instances do not share their counts.')
param rates object = {
  sender: 20
  address: 50
  global: 1000
  duplicates: 2
}

@description('The smallest fee a gas that is taken, in wei.')
param feeFloorWei string = '1000000000'

@description('Transactions of one sender that may wait.')
@minValue(1)
param pendingPerSender int = 64

@description('Blocks that another validator must be behind to be offered a state instead of executing them.')
@minValue(128)
param snapshotBehind int = 10000

@description('Batches below the final block whose bodies are kept, at least 1024; 0 keeps all. Above snapshotBehind.')
@minValue(0)
param keptBatches int = 100000

@description('serverless for a chain that mostly waits, autoscale above about 100 tx/s (infra/README.md has the arithmetic).')
@allowed([
  'serverless'
  'autoscale'
])
param documentMode string = 'serverless'

@description('Autoscale only: the largest request units a second of each container of the database.')
param peakRequestUnits object = {
  head: 1000
  pages: 20000
  replica: 4000
  proofs: 1000
  filters: 1000
}

@description('Storage and database in three zones instead of one building.')
param zoneRedundant bool = false

@description('Instances of an app at most.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Instances of the ingest app that are kept warm; 0 scales to zero.')
@minValue(0)
param warmIngestInstances int = 0

@description('Who takes proof jobs: a function app, a container app with a GPU, or nobody.')
@allowed([
  'none'
  'function'
  'container'
])
param prover string = 'function'

@description('The prover\'s image when it is a container app.')
param proverImage string = ''

@description('The registry of that image when it wants an identity; the identity NAME-prover needs AcrPull there.')
param proverRegistry string = ''

@description('The machine under the prover.')
@allowed([
  'Consumption-GPU-NC8as-T4'
  'Consumption-GPU-NC24-A100'
])
param proverGpu string = 'Consumption-GPU-NC8as-T4'

@description('Replicas of the prover at most.')
param proverReplicas int = 1

@description('Who is told of alerts and of the budget.')
param operatorEmails array

@description('The budget of a month, in the currency of the subscription.')
param monthlyBudget int

@description('The first day of the month of the first deployment, as 2026-11-01. Never changed after: Azure refuses to move a budget.')
param budgetStart string

@description('Days that logs are kept.')
param logRetentionDays int = 30

@description('Whether log lines name every transaction (about 200 bytes each, over all apps); otherwise one of each group.')
param logTransactions bool = true

@description('Gigabytes of logs a day at most; -1 for no limit.')
param logDailyCapGb int = 1

@description('Requests that the database put off within five minutes above which somebody is told.')
param throttledRequests int = 100

var suffix = uniqueString(resourceGroup().id)
var resourceName = '${name}-${suffix}'
var storageName = take('${name}${suffix}', 24)
var validatorVaultName = take('${name}v${suffix}', 24)
var accessVaultName = take('${name}a${suffix}', 24)
var databaseName = 'supervm'
var validatorKeyName = 'validator-key'
var rpcKeyName = 'rpc-key'
var managementKeyName = 'management-key'

// Built-in roles of Azure Storage.
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var queueSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var tableContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var tableReader = '76199698-9eea-4c19-bc75-cec21354c6b6'
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var blobReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'

// What each role may touch. The Functions host itself needs its two containers and the app's package.
var roles = [
  {
    role: 'ingest'
    queues: [
      { name: 'inbox', role: queueSender }
      { name: 'proofs', role: queueSender }
    ]
    tables: [
      { name: 'transactions', role: tableContributor }
    ]
    containers: [
      { name: 'bodies', role: blobContributor }
      { name: 'config', role: blobReader }
      { name: 'audit', role: blobContributor }
    ]
    documents: [
      { container: 'head', write: false }
      { container: 'pages', write: false }
      { container: 'proofs', write: true }
      { container: 'filters', write: true }
    ]
  }
  {
    role: 'consensus'
    queues: [
      { name: 'inbox', role: queueContributor }
      { name: 'inbox-poison', role: queueContributor }
      { name: 'batches', role: queueSender }
    ]
    tables: [
      { name: 'transactions', role: tableReader }
    ]
    containers: [
      { name: 'bodies', role: blobContributor }
      { name: 'config', role: blobReader }
    ]
    documents: [
      { container: 'replica', write: true }
      { container: 'head', write: true }
      { container: 'pages', write: false }
    ]
  }
  {
    role: 'execute'
    queues: [
      { name: 'batches', role: queueContributor }
      { name: 'batches-poison', role: queueContributor }
      { name: 'inbox', role: queueSender }
    ]
    tables: [
      { name: 'transactions', role: tableContributor }
    ]
    containers: [
      { name: 'bodies', role: blobContributor }
      { name: 'config', role: blobReader }
    ]
    documents: [
      { container: 'head', write: true }
      { container: 'pages', write: true }
    ]
  }
  {
    role: 'prover'
    queues: [
      { name: 'proofs', role: queueContributor }
      { name: 'proofs-poison', role: queueContributor }
    ]
    tables: []
    containers: [
      { name: 'bodies', role: blobContributor }
      { name: 'config', role: blobReader }
    ]
    documents: [
      { container: 'proofs', write: true }
    ]
  }
]

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: {
    name: name
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: name
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
    publishers: map(identities.outputs.identities, identity => identity.principalId)
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    accountName: storageName
    location: location
    tags: tags
    sku: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module grants 'modules/grants.bicep' = [for (role, i) in roles: {
  name: 'grants-${role.role}'
  params: {
    accountName: storage.outputs.accountName
    principalId: identities.outputs.identities[i].principalId
    queueGrants: role.queues
    tableGrants: role.tables
    containerGrants: concat(role.containers, [
      { name: 'azure-webjobs-hosts', role: blobOwner }
      { name: 'azure-webjobs-secrets', role: blobOwner }
      { name: 'package-${role.role}', role: blobOwner }
    ])
  }
}]

module documents 'modules/cosmos.bicep' = {
  name: 'documents'
  params: {
    accountName: resourceName
    databaseName: databaseName
    location: location
    tags: tags
    mode: documentMode
    peakRequestUnits: peakRequestUnits
    zoneRedundant: zoneRedundant
    workspaceId: monitoring.outputs.workspaceId
    grants: flatten(map(range(0, length(roles)), i => map(roles[i].documents, document => {
      principalId: identities.outputs.identities[i].principalId
      container: document.container
      write: document.write
    })))
  }
}

// Only the replica signs: no other role can read this vault.
module validatorVault 'modules/vault.bicep' = {
  name: 'validator-vault'
  params: {
    vaultName: validatorVaultName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    readers: [
      identities.outputs.identities[1].principalId
    ]
  }
}

// The keys that callers show to the ingest app.
module accessVault 'modules/vault.bicep' = {
  name: 'access-vault'
  params: {
    vaultName: accessVaultName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    readers: [
      identities.outputs.identities[0].principalId
    ]
  }
}

// What every handler is told, by the names of CloudNames.Settings; the client id is each app's own.
var commonSettings = {
  SUPERVM_QUEUE_URI: storage.outputs.queueUri
  SUPERVM_BLOB_URI: storage.outputs.blobUri
  SUPERVM_TABLE_URI: storage.outputs.tableUri
  SUPERVM_DOCUMENT_URI: documents.outputs.uri
  SUPERVM_DATABASE: documents.outputs.databaseName
  SUPERVM_GENESIS: genesis
  SUPERVM_VALIDATORS: string(validators)
  SUPERVM_LOG_TRANSACTIONS: logTransactions ? 'true' : 'false'
}

module ingest 'modules/functionApp.bicep' = {
  name: 'ingest'
  params: {
    name: '${resourceName}-ingest'
    location: location
    tags: tags
    identityId: identities.outputs.identities[0].id
    identityClientId: identities.outputs.identities[0].clientId
    storageAccountName: storage.outputs.accountName
    blobUri: storage.outputs.blobUri
    packageContainer: 'package-ingest'
    insightsConnectionString: monitoring.outputs.connectionString
    maximumInstances: maximumInstances
    instanceMemoryMb: 2048
    httpConcurrency: 100
    warmInstances: warmIngestInstances
    settings: union(commonSettings, {
      SUPERVM_IDENTITY_CLIENT_ID: identities.outputs.identities[0].clientId
      SUPERVM_RPC_OPEN: openRpc ? 'true' : 'false'
      SUPERVM_RPC_KEY: '@Microsoft.KeyVault(SecretUri=${accessVault.outputs.vaultUri}secrets/${rpcKeyName})'
      SUPERVM_MANAGEMENT_KEY: '@Microsoft.KeyVault(SecretUri=${accessVault.outputs.vaultUri}secrets/${managementKeyName})'
      SUPERVM_RATE_SENDER: string(rates.sender)
      SUPERVM_RATE_ADDRESS: string(rates.address)
      SUPERVM_RATE_GLOBAL: string(rates.global)
      SUPERVM_RATE_DUPLICATES: string(rates.duplicates)
      SUPERVM_FEE_FLOOR_WEI: feeFloorWei
      SUPERVM_PENDING_PER_SENDER: string(pendingPerSender)
      SUPERVM_PROVER: prover
    })
  }
  dependsOn: [
    grants
  ]
}

module consensus 'modules/functionApp.bicep' = {
  name: 'consensus'
  params: {
    name: '${resourceName}-consensus'
    location: location
    tags: tags
    identityId: identities.outputs.identities[1].id
    identityClientId: identities.outputs.identities[1].clientId
    storageAccountName: storage.outputs.accountName
    blobUri: storage.outputs.blobUri
    packageContainer: 'package-consensus'
    insightsConnectionString: monitoring.outputs.connectionString
    maximumInstances: maximumInstances
    instanceMemoryMb: 2048
    httpConcurrency: 100
    warmInstances: 0
    settings: union(commonSettings, {
      SUPERVM_IDENTITY_CLIENT_ID: identities.outputs.identities[1].clientId
      SUPERVM_SNAPSHOT_BEHIND: string(snapshotBehind)
      SUPERVM_KEEP_BATCHES: string(keptBatches)
      SUPERVM_VALIDATOR_KEY: '@Microsoft.KeyVault(SecretUri=${validatorVault.outputs.vaultUri}secrets/${validatorKeyName})'
    })
  }
  dependsOn: [
    grants
  ]
}

module execute 'modules/functionApp.bicep' = {
  name: 'execute'
  params: {
    name: '${resourceName}-execute'
    location: location
    tags: tags
    identityId: identities.outputs.identities[2].id
    identityClientId: identities.outputs.identities[2].clientId
    storageAccountName: storage.outputs.accountName
    blobUri: storage.outputs.blobUri
    packageContainer: 'package-execute'
    insightsConnectionString: monitoring.outputs.connectionString
    maximumInstances: maximumInstances
    instanceMemoryMb: 4096
    httpConcurrency: 0
    warmInstances: 0
    settings: union(commonSettings, {
      SUPERVM_IDENTITY_CLIENT_ID: identities.outputs.identities[2].clientId
    })
  }
  dependsOn: [
    grants
  ]
}

module proverFunction 'modules/functionApp.bicep' = if (prover == 'function') {
  name: 'prover-function'
  params: {
    name: '${resourceName}-prover'
    location: location
    tags: tags
    identityId: identities.outputs.identities[3].id
    identityClientId: identities.outputs.identities[3].clientId
    storageAccountName: storage.outputs.accountName
    blobUri: storage.outputs.blobUri
    packageContainer: 'package-prover'
    insightsConnectionString: monitoring.outputs.connectionString
    maximumInstances: maximumInstances
    instanceMemoryMb: 4096
    httpConcurrency: 0
    warmInstances: 0
    settings: union(commonSettings, {
      SUPERVM_IDENTITY_CLIENT_ID: identities.outputs.identities[3].clientId
    })
  }
  dependsOn: [
    grants
  ]
}

module proverContainer 'modules/prover.bicep' = if (prover == 'container') {
  name: 'prover-container'
  params: {
    name: '${name}-prover'
    location: location
    tags: tags
    identityId: identities.outputs.identities[3].id
    storageAccountName: storage.outputs.accountName
    queueName: 'proofs'
    image: proverImage
    registry: proverRegistry
    gpuProfile: proverGpu
    maximumReplicas: proverReplicas
    workspaceId: monitoring.outputs.workspaceId
    settings: union(commonSettings, {
      SUPERVM_IDENTITY_CLIENT_ID: identities.outputs.identities[3].clientId
    })
  }
  dependsOn: [
    grants
  ]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    documentAccountId: documents.outputs.accountId
    emails: operatorEmails
    throttledRequests: throttledRequests
  }
}

module budget 'modules/budget.bicep' = {
  name: 'budget'
  params: {
    name: name
    monthlyAmount: monthlyBudget
    startDate: budgetStart
    actionGroupId: alerts.outputs.actionGroupId
  }
}

@description('Where dApps send JSON-RPC.')
output rpcUrl string = 'https://${ingest.outputs.hostName}/'

@description('Where the other validators send this one\'s messages: the url of its entry in validators.')
output consensusUrl string = 'https://${consensus.outputs.hostName}/'

@description('Where the owner puts the validator\'s key, by the name validator-key.')
output validatorVaultName string = validatorVault.outputs.vaultName

@description('Where the owner puts the callers\' keys, by the names rpc-key and management-key.')
output accessVaultName string = accessVault.outputs.vaultName

@description('Where the genesis file and the packages go.')
output storageAccountName string = storage.outputs.accountName

@description('The apps, for publishing their packages.')
output appNames array = [
  ingest.outputs.appName
  consensus.outputs.appName
  execute.outputs.appName
]

// The storage account of one validator: queues, tables, blob containers. Names are those of src/Azure/CloudNames.cs.

@description('3 to 24 lower-case letters and digits, unique in the world.')
@minLength(3)
@maxLength(24)
param accountName string

param location string
param tags object

@description('Standard_LRS: three copies in one building. Standard_ZRS: one copy in each of three zones.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
])
param sku string

@description('Where the log of writes to queues goes.')
param workspaceId string

// CloudNames.Queues; each has its poison queue, so that an alert finds it before the first poison message.
var queueNames = [
  'inbox'
  'batches'
  'proofs'
]

// CloudNames.Tables
var tableNames = [
  'transactions'
]

// CloudNames.BlobContainers
var blobContainerNames = [
  'bodies'
  'config'
  'audit'
]

// The Functions host's own: where it takes leases and keeps keys, and each app's package.
var hostContainerNames = [
  'azure-webjobs-hosts'
  'azure-webjobs-secrets'
  'package-ingest'
  'package-consensus'
  'package-execute'
  'package-prover'
]

// ClaimCheck.Folder in CloudNames.BlobContainers.Bodies, and ClaimCheck.RetentionDays: longer than a message lives
// in its queue and then in the poison queue.
var claimsPrefix = 'bodies/claims/'
var claimsRetentionDays = 16
var snapshotPrefix = 'bodies/snapshot/'

// CloudNames.BlobContainers.Audit and AuditTrail.RetentionDays: append blobs, a day's actions of administrators each.
var auditPrefix = 'audit/'
var auditRetentionDays = 400

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [for queue in queueNames: {
  parent: queueService
  name: queue
}]

resource poisonQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [for queue in queueNames: {
  parent: queueService
  name: '${queue}-poison'
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [for table in tableNames: {
  parent: tableService
  name: table
}]

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for container in blobContainerNames: {
  parent: blobService
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource hostContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for container in hostContainerNames: {
  parent: blobService
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource lifeCycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'forget-claims'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                claimsPrefix
                snapshotPrefix
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterCreationGreaterThan: claimsRetentionDays
                }
              }
            }
          }
        }
        {
          name: 'forget-audit'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'appendBlob'
              ]
              prefixMatch: [
                auditPrefix
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: auditRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

// Writes to queues: what an alert needs to see a message arrive in a poison queue.
resource queueLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'queue-writes'
  scope: queueService
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageWrite'
        enabled: true
      }
    ]
  }
}

output accountName string = account.name
output queueUri string = account.properties.primaryEndpoints.queue
output blobUri string = account.properties.primaryEndpoints.blob
output tableUri string = account.properties.primaryEndpoints.table

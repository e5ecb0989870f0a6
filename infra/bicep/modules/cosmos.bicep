// The document database of one validator. Names of containers are those of src/Azure/CloudNames.cs.
//
// Strong consistency: a compare-and-swap on the head must be seen by every read that begins after it (docs/azure.md).
// Nothing is indexed: every request is a point request by partition key and id.

param accountName string
param databaseName string
param location string
param tags object

@description('serverless: pay a request, 5,000 request units a second a container. autoscale: pay a tenth of the peak at least.')
@allowed([
  'serverless'
  'autoscale'
])
param mode string

@description('Autoscale only: the largest request units a second of each container, by its name.')
param peakRequestUnits object

@description('One copy in each of three zones.')
param zoneRedundant bool

@description('Objects { principalId, container, write }: who may read, or write, which container.')
param grants array

@description('Where the count of requests by status goes.')
param workspaceId string

// CloudNames.DocumentContainers
var documentContainerNames = [
  'head'
  'pages'
  'replica'
  'proofs'
  'filters'
]

// CloudNames.DocumentContainers.FilterSeconds: a filter that nobody polls is forgotten; nothing else ever is.
var filterSeconds = 3600

var readerRole = '00000000-0000-0000-0000-000000000001'
var contributorRole = '00000000-0000-0000-0000-000000000002'

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  name: accountName
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: zoneRedundant
      }
    ]
    consistencyPolicy: {
      defaultConsistencyLevel: 'Strong'
    }
    capabilities: mode == 'serverless' ? [
      {
        name: 'EnableServerless'
      }
    ] : []
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous7Days'
      }
    }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    enableAutomaticFailover: false
    enableMultipleWriteLocations: false
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: 'Enabled'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-04-15' = {
  parent: account
  name: databaseName
  properties: {
    resource: {
      id: databaseName
    }
  }
}

resource containers 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-04-15' = [for container in documentContainerNames: {
  parent: database
  name: container
  properties: {
    resource: {
      id: container
      partitionKey: {
        paths: [
          '/pk'
        ]
        kind: 'Hash'
        version: 2
      }
      indexingPolicy: {
        indexingMode: 'none'
        automatic: false
      }
      // -1: what is in there stays.
      defaultTtl: container == 'filters' ? filterSeconds : -1
    }
    options: mode == 'serverless' ? {} : {
      autoscaleSettings: {
        maxThroughput: peakRequestUnits[container]
      }
    }
  }
}]

resource assignments 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [for grant in grants: {
  parent: account
  name: guid(account.id, grant.principalId, grant.container, grant.write ? contributorRole : readerRole)
  properties: {
    principalId: grant.principalId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${grant.write ? contributorRole : readerRole}'
    scope: '${account.id}/dbs/${databaseName}/colls/${grant.container}'
  }
  dependsOn: [
    containers
  ]
}]

resource requestLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'requests'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'ControlPlaneRequests'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Requests'
        enabled: true
      }
    ]
  }
}

output accountId string = account.id
output uri string = account.properties.documentEndpoint
output databaseName string = database.name

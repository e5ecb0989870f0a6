// A vault. What it holds is put there by its owner (infra/README.md) and is in no template.

@minLength(3)
@maxLength(24)
param vaultName string

param location string
param tags object

@description('Principal ids that may read its secrets.')
param readers array

@description('Where the log of every access goes.')
param workspaceId string

var secretsUserRole = '4633458b-17de-408a-875c-0445b86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: 'Enabled'
  }
}

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principal in readers: {
  name: guid(vault.id, principal, secretsUserRole)
  scope: vault
  properties: {
    principalId: principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUserRole)
  }
}]

resource accessLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'access'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

output vaultUri string = vault.properties.vaultUri
output vaultName string = vault.name

// A Flex Consumption plan and the function app on it: a custom handler that scales to zero.

param name string
param location string
param tags object

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of the same identity.')
param identityClientId string

param storageAccountName string

@description('End point of the blob service, with its last slash.')
param blobUri string

@description('The container with the app\'s package.')
param packageContainer string

param insightsConnectionString string

@description('Instances at most.')
@minValue(1)
@maxValue(1000)
param maximumInstances int

@description('Memory of an instance in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMb int

@description('HTTP requests that one instance takes at a time; 0 for an app without such a limit.')
param httpConcurrency int

@description('Instances that are kept warm for HTTP; 0 scales to zero.')
param warmInstances int

@description('App settings of the handler, by name.')
param settings object

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: '${name}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobUri}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemoryMb
        alwaysReady: warmInstances == 0 ? [] : [
          {
            name: 'http'
            instanceCount: warmInstances
          }
        ]
        triggers: httpConcurrency == 0 ? null : {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
      runtime: {
        name: 'custom'
        version: '1.0'
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
    }
  }
}

// Passwords for publishing are off: packages come through Entra only.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = [for kind in [
  'ftp'
  'scm'
]: {
  parent: app
  name: kind
  properties: {
    allow: false
  }
}]

// The host reaches its storage by identity: an account name and no connection string.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union({
    AzureWebJobsStorage__accountName: storageAccountName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    AzureWebJobsDisableHomepage: 'true'
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  }, settings)
}

output hostName string = app.properties.defaultHostName
output appName string = app.name

// The prover as a container app on a GPU: no replica while the queue of proof jobs is empty.

param name string
param location string
param tags object
param identityId string
param storageAccountName string

@description('The queue of proof jobs.')
param queueName string

@description('The image, with its registry and digest or tag.')
param image string

@description('The registry\'s name when the identity has to show itself there; empty for a public one.')
param registry string

@description('The machine under the container.')
@allowed([
  'Consumption-GPU-NC8as-T4'
  'Consumption-GPU-NC24-A100'
])
param gpuProfile string

@minValue(1)
@maxValue(30)
param maximumReplicas int

@description('Settings of the prover, by name.')
param settings object

param workspaceId string

var sizes = {
  'Consumption-GPU-NC8as-T4': {
    cpu: 8
    memory: '56Gi'
  }
  'Consumption-GPU-NC24-A100': {
    cpu: 24
    memory: '220Gi'
  }
}

resource environment 'Microsoft.App/managedEnvironments@2025-10-02-preview' = {
  name: '${name}-environment'
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
    workloadProfiles: [
      {
        name: 'gpu'
        workloadProfileType: gpuProfile
      }
    ]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

resource prover 'Microsoft.App/containerApps@2026-01-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'gpu'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: empty(registry) ? [] : [
        {
          server: registry
          identity: identityId
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'prover'
          image: image
          resources: sizes[gpuProfile]
          env: [for setting in items(settings): {
            name: setting.key
            value: setting.value
          }]
        }
      ]
      scale: {
        minReplicas: 0
        maxReplicas: maximumReplicas
        rules: [
          {
            name: 'proofs'
            custom: {
              type: 'azure-queue'
              identity: identityId
              metadata: {
                accountName: storageAccountName
                queueName: queueName
                queueLength: '1'
                cloud: 'AzurePublicCloud'
              }
            }
          }
        ]
      }
    }
  }
}

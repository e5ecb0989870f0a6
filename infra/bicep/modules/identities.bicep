// One identity for each role, so that a role can be given what it needs and nothing else.

@description('What every name begins with.')
param name string

param location string
param tags object

var roleNames = [
  'ingest'
  'consensus'
  'execute'
  'prover'
]

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [for role in roleNames: {
  name: '${name}-${role}'
  location: location
  tags: tags
}]

@description('Resource id, principal id and client id of the four identities, in the order ingest, consensus, execute, prover.')
output identities array = [for (role, i) in roleNames: {
  role: role
  id: identities[i].id
  principalId: identities[i].properties.principalId
  clientId: identities[i].properties.clientId
}]

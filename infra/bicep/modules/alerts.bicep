// What wakes somebody: a message that nobody could handle, a head that stands still, a validator that disagrees, a
// database that puts requests off. The words that the queries look for are those of src/Azure/CloudNames.cs, Events.

param name string
param location string
param tags object
param workspaceId string
param documentAccountId string

@description('Who is told.')
param emails array

@description('Requests put off by the database within five minutes that are too many.')
@minValue(1)
param throttledRequests int

// CloudNames.Events
var submitted = 'supervm.submitted'
var headMoved = 'supervm.head.moved'
var attestationMismatch = 'supervm.attestation.mismatch'

var rules = [
  {
    name: 'poison-message'
    description: 'A message went to a poison queue: its handler failed ten times. infra/README.md, "A poison message".'
    severity: 1
    window: 'PT5M'
    query: 'StorageQueueLogs | where OperationName == "PutMessage" and toint(StatusCode) == 201 and Uri contains "-poison/messages"'
  }
  {
    name: 'head-not-moving'
    description: 'Transactions were taken five to fifteen minutes ago and no block was committed since.'
    severity: 0
    window: 'PT15M'
    // What was taken a moment ago may still be on its way, its block's trace too: only what is five minutes old counts.
    query: 'AppTraces | summarize taken = minif(TimeGenerated, Message has "${submitted}"), moved = maxif(TimeGenerated, Message has "${headMoved}") | where taken < ago(5m) and (isnull(moved) or moved < taken)'
  }
  {
    name: 'attestation-mismatch'
    description: 'Validators signed different blocks at one height: this one, or another, has wrong state.'
    severity: 0
    window: 'PT5M'
    query: 'AppTraces | where Message has "${attestationMismatch}"'
  }
]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${name}-operators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'supervm'
    enabled: true
    emailReceivers: [for email in emails: {
      name: email
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource queryRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${name}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.name
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: {
      actionGroups: [
        group.id
      ]
    }
  }
}]

resource throttling 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-throttled-requests'
  location: 'global'
  tags: tags
  properties: {
    description: 'The database puts requests off (429): raise its throughput, or move from serverless to autoscale.'
    severity: 2
    enabled: true
    scopes: [
      documentAccountId
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'throttled'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'TotalRequests'
          metricNamespace: 'Microsoft.DocumentDB/databaseAccounts'
          dimensions: [
            {
              name: 'StatusCode'
              operator: 'Include'
              values: [
                '429'
              ]
            }
          ]
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: throttledRequests
        }
      ]
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: group.id
      }
    ]
  }
}

output actionGroupId string = group.id

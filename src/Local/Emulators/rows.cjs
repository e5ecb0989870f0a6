// Loaded into the storage emulator before anything else. It looks for a table's row by partition key and row key, and its
// database takes the first of the two that has an index, then goes through all rows of the partition: with 100,000
// rows that is more work than all else. Row keys first, it finds the row at once, as the service does.
const { Collection } = require('lokijs');

const findOne = Collection.prototype.findOne;
Collection.prototype.findOne = function (query) {
    return findOne.call(this, query && 'PartitionKey' in query && 'RowKey' in query
        ? { RowKey: query.RowKey, ...query }
        : query);
};

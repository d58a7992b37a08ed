namespace ModelFs.Stores;

/// <summary>What went through a store since it was made.</summary>
/// <param name="Listings">Calls of <see cref="IModelStore.ListAsync"/>.</param>
/// <param name="LookUps">Calls of <see cref="IModelStore.StatAsync"/>.</param>
/// <param name="Reads">Calls of <see cref="IModelStore.ReadAsync"/>.</param>
/// <param name="Publishes">Calls of <see cref="IModelStore.PublishAsync"/>.</param>
/// <param name="Deletes">Calls of <see cref="IModelStore.DeleteAsync"/>.</param>
/// <param name="BytesRead">Delivered to readers.</param>
/// <param name="BytesPublished">Read from archives to be sent; what a server copied by itself is not among them, what was sent again is.</param>
/// <param name="Errors">Calls and reads that ended with a <see cref="StoreException"/>.</param>
public sealed record StoreMeasurements(long Listings, long LookUps, long Reads, long Publishes, long Deletes, long BytesRead, long BytesPublished, long Errors);

/// The audit API's lines of the routing table.
func auditRoutes(_ services: GatewayServices) -> [Route] { AuditController(log: services.eventLog).routes }
